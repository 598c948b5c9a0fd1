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
    per: str = ""
    """In a rate: five euros the kilo"""
    about: str = ""
    signs: tuple[str, str, str, str, str] = ("", "", "", "", "")
    """Plus, minus, times, divided by, equals"""
    fractions: dict[str, str] = field(default_factory=dict)
    """A part on its own, 1/2 to 3/4"""
    and_part: str = "{} {}"
    """Whole number and the part after it"""
    day_before: frozenset[str] = frozenset()
    """Words after which two numbers with a stroke or dot between them are a day and a month"""


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
            "o. Ä.": "oder Ähnliches", "zzgl.": "zuzüglich", "u.v.m.": "und vieles mehr",
            "Abb.": "Abbildung", "MwSt.": "Mehrwertsteuer", "gem.": "gemäß", "Jh.": "Jahrhundert",
            "St.": "Sankt", "Hr.": "Herr", "Fr.": "Frau",
        },
        per="pro", about="etwa", signs=("plus", "minus", "mal", "geteilt durch", "gleich"),
        fractions={"1/2": "ein halb", "1/3": "ein Drittel", "2/3": "zwei Drittel",
                   "1/4": "ein Viertel", "3/4": "drei Viertel", "1/8": "ein Achtel"},
        and_part="{} {}",
        day_before=_words("am den dem vom bis zum ab seit der beim"),
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
            "bd": "boulevard", "av.": "avenue", "chap.": "chapitre",
        },
        per="par", about="environ", signs=("plus", "moins", "fois", "divisé par", "égale"),
        fractions={"1/2": "un demi", "1/3": "un tiers", "2/3": "deux tiers",
                   "1/4": "un quart", "3/4": "trois quarts", "1/8": "un huitième"},
        and_part="{} et {}", day_before=_words("le du au jusqu'au dès"),
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
        per="por", about="unos", signs=("más", "menos", "por", "entre", "igual a"),
        fractions={"1/2": "medio", "1/3": "un tercio", "2/3": "dos tercios",
                   "1/4": "un cuarto", "3/4": "tres cuartos", "1/8": "un octavo"},
        and_part="{} y {}", day_before=_words("el del al desde hasta día"),
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
        per="al", about="circa", signs=("più", "meno", "per", "diviso", "uguale a"),
        fractions={"1/2": "mezzo", "1/3": "un terzo", "2/3": "due terzi",
                   "1/4": "un quarto", "3/4": "tre quarti", "1/8": "un ottavo"},
        and_part="{} e {}", day_before=_words("il del dal al entro giorno"),
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
            "mln.": "miljoen", "mld.": "miljard", "z.s.m.": "zo snel mogelijk",
        },
        per="per", about="ongeveer", signs=("plus", "minus", "keer", "gedeeld door", "is"),
        fractions={"1/2": "een half", "1/3": "een derde", "2/3": "twee derde",
                   "1/4": "een kwart", "3/4": "drie kwart", "1/8": "een achtste"},
        and_part="{} en {}", day_before=_words("op vanaf sinds tot"),
    ),
}  # fmt: skip
"""Languages whose readings were looked through, with what CLDR does not say."""
ROMAN_ORDINALS = {
    "es": ("", "primero", "segundo", "tercero", "cuarto", "quinto", "sexto", "séptimo", "octavo",
           "noveno", "décimo"),
    "fr": ("", "premier"),
}  # fmt: skip
"""How the first kings of a name are counted; the later ones have cardinal numbers."""
HOURS = ("heure", "heures")
"""French says the hour with its number."""
ORDINALS_OF_ITALIAN = (
    "", "primo", "secondo", "terzo", "quarto", "quinto", "sesto", "settimo", "ottavo", "nono",
    "decimo",
)  # fmt: skip
GERMAN_IRREGULAR = {1: "erst", 3: "dritt", 7: "siebt", 8: "acht"}
