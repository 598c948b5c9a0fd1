"""Sentences in six languages about one home, and what each of them means.

An expectation names deeds, targets and values; one that begins with "~" is a part of the answer.
"""

from collections.abc import Mapping, Sequence
from typing import Final

_IDS: Final = (
    "kitchen", "bedroom", "living", "bath", "garden", "garage", "hall",
    "light.kitchen", "light.counter", "light.bedside", "light.floor", "light.garden",
    "switch.coffee", "fan.bedroom", "cover.bedroom", "cover.garage", "lock.front",
    "climate.living", "climate.bath", "media_player.speaker", "media_player.tv", "vacuum.robot",
    "lawn_mower.garden", "valve.garden", "scene.movie", "todo.shopping", "binary_sensor.window",
    "binary_sensor.bath_window", "sensor.temperature", "sensor.humidity",
)  # fmt: skip


def _home(*names: str) -> Mapping[str, str]:
    return dict(zip(_IDS, names, strict=True))


HOMES: Final[Mapping[str, Mapping[str, str]]] = {
    "en": _home(
        "Kitchen", "Bedroom", "Living Room", "Bathroom", "Garden", "Garage", "Hallway",
        "Ceiling light", "Counter light", "Bedside lamp", "Floor lamp", "Garden light",
        "Coffee machine", "Fan", "Bedroom shutter", "Garage door", "Front door",
        "Living room thermostat", "Bathroom thermostat", "Speaker", "TV", "Robby",
        "Mower", "Sprinkler", "Movie night", "Shopping list", "Kitchen window",
        "Bathroom window", "Kitchen temperature", "Bathroom humidity",
    ),
    "de": _home(
        "Küche", "Schlafzimmer", "Wohnzimmer", "Bad", "Garten", "Garage", "Flur",
        "Deckenlampe", "Thekenlicht", "Nachttischlampe", "Stehlampe", "Gartenlicht",
        "Kaffeemaschine", "Ventilator", "Rollladen", "Garagentor", "Haustür",
        "Heizung Wohnzimmer", "Heizung Bad", "Lautsprecher", "Fernseher", "Robby",
        "Mäher", "Bewässerung", "Filmabend", "Einkaufsliste", "Küchenfenster",
        "Badfenster", "Temperatur Küche", "Feuchtigkeit Bad",
    ),
    "fr": _home(
        "Cuisine", "Chambre", "Salon", "Salle de bain", "Jardin", "Garage", "Entrée",
        "Plafonnier", "Lampe du plan de travail", "Lampe de chevet", "Lampadaire",
        "Lumière du jardin", "Machine à café", "Ventilateur", "Volet de la chambre",
        "Porte de garage", "Porte d'entrée", "Thermostat du salon",
        "Thermostat de la salle de bain", "Enceinte", "Télé", "Robby", "Tondeuse", "Arrosage",
        "Soirée cinéma", "Liste de courses", "Fenêtre de la cuisine",
        "Fenêtre de la salle de bain", "Température cuisine", "Humidité salle de bain",
    ),
    "es": _home(
        "Cocina", "Dormitorio", "Salón", "Baño", "Jardín", "Garaje", "Entrada",
        "Luz del techo", "Luz de la encimera", "Lámpara de noche", "Lámpara de pie",
        "Luz del jardín", "Cafetera", "Ventilador", "Persiana del dormitorio",
        "Puerta del garaje", "Puerta principal", "Termostato del salón", "Termostato del baño",
        "Altavoz", "Tele", "Robby", "Cortacésped", "Riego", "Noche de cine",
        "Lista de la compra", "Ventana de la cocina", "Ventana del baño",
        "Temperatura de la cocina", "Humedad del baño",
    ),
    "it": _home(
        "Cucina", "Camera", "Soggiorno", "Bagno", "Giardino", "Garage", "Ingresso",
        "Plafoniera", "Luce del piano", "Lampada da notte", "Lampada da terra",
        "Luce del giardino", "Macchina del caffè", "Ventilatore", "Tapparella della camera",
        "Porta del garage", "Porta d'ingresso", "Termostato del soggiorno",
        "Termostato del bagno", "Cassa", "Tele", "Robby", "Tagliaerba", "Irrigazione",
        "Serata film", "Lista della spesa", "Finestra della cucina", "Finestra del bagno",
        "Temperatura cucina", "Umidità bagno",
    ),
    "nl": _home(
        "Keuken", "Slaapkamer", "Woonkamer", "Badkamer", "Tuin", "Garage", "Gang",
        "Plafondlamp", "Aanrechtlamp", "Bedlamp", "Vloerlamp", "Tuinlamp",
        "Koffiemachine", "Ventilator", "Rolluik slaapkamer", "Garagedeur", "Voordeur",
        "Thermostaat woonkamer", "Thermostaat badkamer", "Speaker", "Tv", "Robby",
        "Grasmaaier", "Sproeier", "Filmavond", "Boodschappenlijst", "Keukenraam",
        "Badkamerraam", "Temperatuur keuken", "Vochtigheid badkamer",
    ),
}  # fmt: skip
DENIALS: Final[Mapping[str, str]] = {
    "en": "don't", "de": "nicht", "fr": "ne", "es": "no", "it": "non", "nl": "niet",
}  # fmt: skip
"""The word with which a command is one not to do something"""
_KITCHEN_ON: Final = "on light.counter; on light.kitchen"
_KITCHEN_OFF: Final = "off light.counter; off light.kitchen"
_ALL_OFF: Final = (
    "off light.bedside; off light.counter; off light.floor; off light.garden; off light.kitchen"
)
_EXPECTED: Final = (
    "on light.bedside", "on light.floor", "on switch.coffee", _KITCHEN_OFF, "off light.floor",
    _ALL_OFF, "set light.kitchen 50", "set light.kitchen 30", "on fan.bedroom",
    "close cover.bedroom", "set cover.bedroom 30", "open cover.garage", "lock lock.front",
    "unlock lock.front", "set climate.bath 22.0", "set climate.living 21.0",
    "pause media_player.speaker", "next media_player.speaker", "set media_player.speaker 40",
    "louder media_player.speaker up", "start vacuum.robot", "dock vacuum.robot",
    "start lawn_mower.garden", "open valve.garden", "activate scene.movie",
    "off light.floor; lock lock.front", "off light.counter", "start HassStartTimer 1 30",
    "list todo.shopping {milk}", "~{window}", "~21.5", "~{no}", "on light.garden",
    "set light.bedside {red}",
)  # fmt: skip
"""The meanings, in one order for all languages"""


def _rows(texts: Sequence[str], milk: str, window: str, no: str) -> Sequence[tuple[str, str]]:
    rows = zip(texts, _EXPECTED, strict=True)
    return [
        (
            text,
            expected.replace("{milk}", milk)
            .replace("{window}", window)
            .replace("{no}", no)
            .replace("{red}", "red"),
        )
        for text, expected in rows
    ]


SENTENCES: Final[Mapping[str, Sequence[tuple[str, str]]]] = {
    "en": [
        *_rows(
            (
                "turn on the lamp in the bedroom", "please switch the floor lamp on",
                "start the coffee machine", "turn off the kitchen lights",
                "turn the light in the living room off", "turn off all the lights",
                "set the ceiling light to 50 percent", "dim the ceiling light by 20 percent",
                "turn on the fan", "close the shutter", "set the bedroom shutter to 30%",
                "open the garage", "make sure the front door is locked", "unlock the door",
                "set the bathroom to 22 degrees", "turn up the heating in the living room",
                "pause the music", "skip this song", "set the volume to 40 percent",
                "make it louder", "start vacuuming", "send the robot back to its base",
                "mow the lawn", "water the garden", "activate movie night",
                "turn off the floor lamp and lock the front door",
                "turn off the kitchen lights except the ceiling light",
                "set a timer for an hour and a half", "add milk to my shopping list",
                "which windows are open", "how warm is it in the kitchen",
                "is the front door unlocked", "turn on the lights outside",
                "make the bedside lamp red",
            ),
            "milk", "Kitchen window", "No, locked",
        ),
        ("make the kitchen brighter", "set light.counter 20; set light.kitchen 70"),
        ("turn on the telly", "on media_player.tv"),
        ("is there a window open", "~Kitchen window"),
        ("how humid is it in the bathroom", "~55"),
        ("turn off both the floor lamp and the tv", "off light.floor; off media_player.tv"),
        (
            "turn off the floor lamp and the tv, turn on the fan",
            "on fan.bedroom; off light.floor; off media_player.tv",
        ),
        ("turn off the thermostat", "? climate.living climate.bath"),
        ("turn the garden light on and open the shutter", "open cover.bedroom; on light.garden"),
        ("how many lights are on", "~2"),
    ],
    "de": [
        *_rows(
            (
                "Schalte die Lampe im Schlafzimmer ein", "Mach bitte die Stehlampe an",
                "Starte die Kaffeemaschine", "Mach die Lichter in der Küche aus",
                "Schalte das Licht im Wohnzimmer aus", "Schalte alle Lichter aus",
                "Stell die Deckenlampe auf 50 Prozent", "Dimme die Deckenlampe um 20 Prozent",
                "Mach den Ventilator an", "Fahr den Rollladen runter",
                "Stell den Rollladen auf 30 Prozent", "Öffne die Garage",
                "Schließ die Haustür ab", "Entriegle die Haustür",
                "Stell die Heizung im Bad auf 22 Grad", "Mach es im Wohnzimmer wärmer",
                "Pausiere die Musik", "Überspringe das Lied",
                "Stell die Lautstärke auf 40 Prozent", "Mach die Musik lauter",
                "Starte den Staubsauger", "Schick den Roboter zur Station zurück",
                "Mäh den Rasen", "Bewässere den Garten", "Aktiviere Filmabend",
                "Mach die Stehlampe aus und schließ die Haustür ab",
                "Mach das Licht in der Küche aus außer der Deckenlampe",
                "Stell einen Timer auf anderthalb Stunden", "Setz Milch auf die Einkaufsliste",
                "Welche Fenster sind offen?", "Wie warm ist es in der Küche?",
                "Ist die Haustür offen?", "Mach das Licht draußen an",
                "Mach die Nachttischlampe rot",
            ),
            "Milch", "Küchenfenster", "Nein, abgeschlossen",
        ),
        ("Küchenlicht aus", _KITCHEN_OFF),
        ("Schließ die Haustür auf", "unlock lock.front"),
        ("Sperr bitte die Haustür auf", "unlock lock.front"),
        ("Schließ die Haustür zu", "lock lock.front"),
        ("Sperr das Schloss ab", "lock lock.front"),
        ("Ist ein Fenster offen?", "~Küchenfenster"),
    ],
    "fr": _rows(
        (
            "Allume la lampe de la chambre", "Allume le lampadaire s'il te plaît",
            "Démarre la machine à café", "Éteins les lumières de la cuisine",
            "Éteins la lumière dans le salon", "Éteins toutes les lumières",
            "Règle le plafonnier à 50 pour cent", "Baisse la luminosité du plafonnier de 20 %",
            "Allume le ventilateur", "Ferme le volet", "Mets le volet de la chambre à 30 %",
            "Ouvre le garage", "Verrouille la porte d'entrée", "Déverrouille la porte",
            "Mets le thermostat de la salle de bain à 22 degrés",
            "Monte le chauffage dans le salon", "Mets la musique en pause",
            "Chanson suivante", "Mets le volume à 40 %", "Mets la musique plus fort",
            "Lance l'aspirateur", "Renvoie le robot à sa base", "Tonds la pelouse",
            "Arrose le jardin", "Active soirée cinéma",
            "Éteins le lampadaire et verrouille la porte d'entrée",
            "Éteins les lumières de la cuisine sauf le plafonnier",
            "Mets un minuteur d'une heure et demie", "Ajoute du lait à la liste de courses",
            "Quelles fenêtres sont ouvertes ?", "Quelle température fait-il dans la cuisine ?",
            "La porte d'entrée est-elle déverrouillée ?", "Allume la lumière dehors",
            "Mets la lampe de chevet en rouge",
        ),
        "du lait", "Fenêtre de la cuisine", "Non, verrouillé",
    ),
    "es": _rows(
        (
            "Enciende la lámpara del dormitorio", "Enciende la lámpara de pie por favor",
            "Pon en marcha la cafetera", "Apaga las luces de la cocina",
            "Apaga la luz del salón", "Apaga todas las luces",
            "Pon la luz del techo al 50 por ciento",
            "Baja el brillo de la luz del techo un 20 por ciento", "Enciende el ventilador",
            "Baja la persiana", "Pon la persiana del dormitorio al 30 %", "Abre el garaje",
            "Cierra con llave la puerta principal", "Desbloquea la puerta",
            "Pon el termostato del baño a 22 grados", "Sube la calefacción del salón",
            "Pausa la música", "Siguiente canción", "Pon el volumen al 40 por ciento",
            "Sube el volumen", "Inicia la aspiradora", "Devuelve el robot a su base",
            "Corta el césped", "Riega el jardín", "Activa noche de cine",
            "Apaga la lámpara de pie y cierra con llave la puerta principal",
            "Apaga las luces de la cocina excepto la luz del techo",
            "Pon un temporizador de una hora y media", "Añade leche a la lista de la compra",
            "¿Qué ventanas están abiertas?", "¿Qué temperatura hace en la cocina?",
            "¿Está desbloqueada la puerta principal?", "Enciende la luz de fuera",
            "Pon la lámpara de noche en rojo",
        ),
        "leche", "Ventana de la cocina", "No, cerrado con llave",
    ),
    "it": _rows(
        (
            "Accendi la lampada in camera", "Accendi la lampada da terra per favore",
            "Avvia la macchina del caffè", "Spegni le luci della cucina",
            "Spegni la luce in soggiorno", "Spegni tutte le luci",
            "Imposta la plafoniera al 50 per cento",
            "Abbassa la luminosità della plafoniera del 20 per cento", "Accendi il ventilatore",
            "Abbassa la tapparella", "Imposta la tapparella della camera al 30 %",
            "Apri il garage", "Chiudi a chiave la porta d'ingresso", "Sblocca la porta",
            "Imposta il termostato del bagno a 22 gradi", "Alza il riscaldamento in soggiorno",
            "Metti in pausa la musica", "Prossima canzone", "Imposta il volume al 40 per cento",
            "Alza il volume", "Avvia l'aspirapolvere", "Rimanda il robot alla base",
            "Taglia l'erba", "Innaffia il giardino", "Attiva serata film",
            "Spegni la lampada da terra e chiudi a chiave la porta d'ingresso",
            "Spegni le luci della cucina tranne la plafoniera",
            "Imposta un timer di un'ora e mezza", "Aggiungi latte alla lista della spesa",
            "Quali finestre sono aperte?", "Quanti gradi ci sono in cucina?",
            "La porta d'ingresso è sbloccata?", "Accendi la luce fuori",
            "Metti la lampada da notte in rosso",
        ),
        "latte", "Finestra della cucina", "No, chiuso a chiave",
    ),
    "nl": [
        *_rows(
            (
                "Doe de lamp in de slaapkamer aan", "Zet de vloerlamp aan alsjeblieft",
                "Start de koffiemachine", "Doe de lampen in de keuken uit",
                "Doe het licht in de woonkamer uit", "Doe alle lampen uit",
                "Zet de plafondlamp op 50 procent", "Dim de plafondlamp met 20 procent",
                "Zet de ventilator aan", "Doe het rolluik dicht",
                "Zet het rolluik in de slaapkamer op 30 procent", "Open de garage",
                "Doe de voordeur op slot", "Ontgrendel de voordeur",
                "Zet de thermostaat in de badkamer op 22 graden",
                "Zet de verwarming in de woonkamer hoger", "Pauzeer de muziek",
                "Volgende nummer", "Zet het volume op 40 procent", "Zet de muziek harder",
                "Start de stofzuiger", "Stuur de robot terug naar het station",
                "Maai het gras", "Sproei de tuin", "Activeer filmavond",
                "Doe de vloerlamp uit en doe de voordeur op slot",
                "Doe de lampen in de keuken uit behalve de plafondlamp",
                "Zet een timer voor anderhalf uur", "Zet melk op de boodschappenlijst",
                "Welke ramen staan open?", "Hoe warm is het in de keuken?",
                "Is de voordeur van het slot?", "Doe het licht buiten aan",
                "Maak de bedlamp rood",
            ),
            "melk", "Keukenraam", "Nee, op slot",
        ),
        ("Keukenlicht uit", _KITCHEN_OFF),
    ],
}  # fmt: skip
