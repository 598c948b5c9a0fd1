"""Words of German, French, Spanish, Italian and Dutch that numbers and signs are read with."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Words:
    """What one language says. Empty where it leaves the writing to the voice."""

    to: str
    """Between the ends of a range"""
    dot: str
    at: str
    slash: str
    dash: str
    clock: str
    """Hour and minutes; `hour` alone where there are none"""
    hour: str
    money: str
    """Whole amount and the hundredths after it"""
    cents: str
    """Hundredths alone of euros"""
    one_cent: str
    date: str
    """Day, month, year"""
    month_first: str = ""
    first_day: str = ""
    """The first of a month"""
    ones: tuple[str, str, str] = ("", "", "")
    """One alone, before a masculine (or neuter), before a feminine noun"""
    feminine: frozenset[str] = frozenset()
    masculine: frozenset[str] = frozenset()
    million_of: str = ""
    """Between a round million and its noun"""
    abbreviations: dict[str, str] = field(default_factory=dict)
    ordinal_dot: bool = False
    """Whether a full stop after a number makes it an ordinal"""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


WORDS = {
    "de": Words(
        to="bis", dot="Punkt", at="at", slash="Schrägstrich", dash="Bindestrich",
        clock="{} Uhr {}", hour="{} Uhr", money="{} {}", cents="{} Cent", one_cent="ein Cent",
        date="{} {} {}", ones=("eins", "ein", "eine"), ordinal_dot=True,
        feminine=_words(
            "Stunde Minute Sekunde Woche Person Million Milliarde Tonne Kalorie Nachricht Lampe "
            "Meile Aufgabe Tasse Flasche Mail Frage Seite Portion Packung Dose Scheibe Etage Tür"
        ),
        masculine=_words(
            "Tag Monat Jahr Euro Cent Dollar Grad Prozent Liter Meter Kilometer Kilogramm Gramm "
            "Termin Timer Wecker Licht Fenster Raum Zimmer Gerät Mal Uhr Kilo Pfund Franken Stück "
            "Teelöffel Esslöffel Glas Becher Punkt Mann Kind Grad"
        ),
        abbreviations={
            "z. B.": "zum Beispiel", "z.B.": "zum Beispiel", "d. h.": "das heißt",
            "d.h.": "das heißt", "u. a.": "unter anderem", "u.a.": "unter anderem",
            "bzw.": "beziehungsweise", "usw.": "und so weiter", "ca.": "circa", "Dr.": "Doktor",
            "Prof.": "Professor", "Nr.": "Nummer", "inkl.": "inklusive", "exkl.": "exklusive",
            "ggf.": "gegebenenfalls", "evtl.": "eventuell", "Tel.": "Telefon", "Std.": "Stunden",
            "Min.": "Minuten", "Sek.": "Sekunden", "max.": "maximal", "min.": "minimal",
            "vgl.": "vergleiche", "Str.": "Straße", "Mio.": "Millionen", "Mrd.": "Milliarden",
            "o. Ä.": "oder Ähnliches", "St.": "Sankt", "Hr.": "Herr", "Fr.": "Frau",
        },
    ),
    "fr": Words(
        to="à", dot="point", at="arobase", slash="barre oblique", dash="tiret",
        clock="{} {} {}", hour="{} {}", money="{} {}", cents="{} centimes",
        one_cent="un centime", date="{} {} {}", first_day="premier", ones=("un", "un", "une"),
        million_of="de",
        feminine=_words(
            "heure heures minute minutes seconde secondes semaine semaines année années personne "
            "personnes fois page pages tonne tonnes calorie calories lampe lampes tasse tasses "
            "bouteille bouteilles pièce pièces lumière lumières question questions chambre "
            "chambres journée journées nuit nuits place places livre livres portion portions"
        ),
        masculine=_words(
            "jour jours mois an ans euro euros centime dollar dollars degré degrés pour litre "
            "litres mètre mètres kilomètre kilomètres kilo kilos gramme grammes kilogramme "
            "message messages point points pas enfant enfants rendez-vous minuteur million"
        ),
        abbreviations={
            "M.": "Monsieur", "MM.": "Messieurs", "Mme": "Madame", "Mmes": "Mesdames",
            "Mlle": "Mademoiselle", "Dr": "Docteur", "Pr": "Professeur", "p. ex.": "par exemple",
            "env.": "environ", "tél.": "téléphone", "Tél.": "Téléphone", "n°": "numéro",
            "N°": "Numéro", "max.": "maximum", "min.": "minimum", "c.-à-d.": "c'est-à-dire",
            "bd": "boulevard", "av.": "avenue",
        },
    ),
    "es": Words(
        to="a", dot="punto", at="arroba", slash="barra", dash="guion",
        clock="{} y {}", hour="{}", money="{} con {}", cents="{} céntimos",
        one_cent="un céntimo", date="{} de {} de {}", ones=("uno", "un", "una"), million_of="de",
        feminine=_words(
            "hora horas semana semanas persona personas vez veces página páginas tonelada "
            "toneladas caloría calorías taza tazas botella botellas luz luces lámpara lámparas "
            "pregunta preguntas habitación habitaciones noche noches milla millas libra libras "
            "ventana ventanas puerta puertas cosa cosas tarea tareas copia copias"
        ),
        masculine=_words(
            "minuto minutos segundo segundos día días mes meses año años euro euros céntimo "
            "dólar dólares grado grados litro litros metro metros kilómetro kilómetros kilo kilos "
            "gramo gramos kilogramo libro libros mensaje mensajes punto puntos paso pasos niño "
            "niños temporizador usuario usuarios producto productos hombre hombres"
        ),
        abbreviations={
            "Sr.": "Señor", "Sra.": "Señora", "Srta.": "Señorita", "Sres.": "Señores",
            "Dr.": "Doctor", "Dra.": "Doctora", "D.": "Don", "Dña.": "Doña",
            "p. ej.": "por ejemplo", "p.ej.": "por ejemplo", "Ud.": "usted", "Uds.": "ustedes",
            "núm.": "número", "Tel.": "Teléfono", "tel.": "teléfono", "aprox.": "aproximadamente",
            "máx.": "máximo", "mín.": "mínimo", "Avda.": "Avenida", "n.º": "número",
            "EE. UU.": "Estados Unidos", "pág.": "página", "etc.": "etcétera",
        },
    ),
    "it": Words(
        to="", dot="punto", at="chiocciola", slash="barra", dash="trattino",
        clock="{} e {}", hour="{}", money="{} e {}", cents="{} centesimi",
        one_cent="un centesimo", date="{} {} {}", first_day="primo", ones=("uno", "un", "una"),
        million_of="di",
        feminine=_words(
            "ora settimana persona volta pagina tonnellata caloria tazza bottiglia luce lampada "
            "domanda camera notte libbra finestra porta cosa"
        ),
        masculine=_words(
            "minuto giorno mese euro centesimo dollaro grado litro metro chilometro chilo grammo "
            "chilogrammo libro messaggio punto passo bambino timer utente prodotto"
        ),
        abbreviations={
            "Sig.": "Signor", "Sig.ra": "Signora", "Sig.na": "Signorina", "Dott.": "Dottor",
            "Dott.ssa": "Dottoressa", "Prof.": "Professor", "Prof.ssa": "Professoressa",
            "Ing.": "Ingegner", "Avv.": "Avvocato", "ecc.": "eccetera", "p. es.": "per esempio",
            "p.es.": "per esempio", "ad es.": "ad esempio", "tel.": "telefono", "Tel.": "Telefono",
            "max.": "massimo", "min.": "minimo", "pag.": "pagina", "ca.": "circa",
        },
    ),
    "nl": Words(
        to="tot", dot="punt", at="apenstaartje", slash="schuine streep", dash="streepje",
        clock="{} uur {}", hour="{} uur", money="{} {}", cents="{} cent", one_cent="een cent",
        date="{} {} {}", ones=("een", "een", "een"),
        abbreviations={
            "dhr.": "de heer", "Dhr.": "De heer", "mevr.": "mevrouw", "Mevr.": "Mevrouw",
            "mw.": "mevrouw", "Mw.": "Mevrouw", "dr.": "dokter", "Dr.": "Dokter",
            "prof.": "professor", "bijv.": "bijvoorbeeld", "bv.": "bijvoorbeeld",
            "enz.": "enzovoort", "o.a.": "onder andere", "d.w.z.": "dat wil zeggen",
            "ca.": "circa", "nr.": "nummer", "tel.": "telefoon", "Tel.": "Telefoon",
            "t/m": "tot en met", "incl.": "inclusief", "excl.": "exclusief", "max.": "maximaal",
            "min.": "minimaal", "m.b.t.": "met betrekking tot", "i.p.v.": "in plaats van",
            "a.u.b.": "alstublieft", "blz.": "bladzijde", "km/u": "kilometer per uur",
        },
    ),
}  # fmt: skip
"""Languages whose readings were looked through, with what CLDR does not say."""
HOURS = ("heure", "heures")
"""French says the hour with its number."""
ORDINALS_OF_ITALIAN = (
    "", "primo", "secondo", "terzo", "quarto", "quinto", "sesto", "settimo", "ottavo", "nono",
    "decimo",
)  # fmt: skip
GERMAN_IRREGULAR = {1: "erst", 3: "dritt", 7: "siebt", 8: "acht"}
