"""Words of English that stand for signs and abbreviations."""

_MONTHS = (
    ("January", "Jan"), ("February", "Feb"), ("March", "Mar"), ("April", "Apr"), ("May",),
    ("June", "Jun"), ("July", "Jul"), ("August", "Aug"), ("September", "Sept", "Sep"),
    ("October", "Oct"), ("November", "Nov"), ("December", "Dec"),
)  # fmt: skip
MONTH_NAMES = ("", *(names[0] for names in _MONTHS))
MONTHS = {
    spelled: number
    for number, names in enumerate(_MONTHS, 1)
    for name in names
    for spelled in (name, name.upper(), name.lower())
}
"""Name of a month, in full or cut short, to its number"""
MONEY = {
    "USD": ("dollar", "dollars", "cent", "cents"),
    "AUD": ("Australian dollar", "Australian dollars", "cent", "cents"),
    "CAD": ("Canadian dollar", "Canadian dollars", "cent", "cents"),
    "NZD": ("New Zealand dollar", "New Zealand dollars", "cent", "cents"),
    "EUR": ("euro", "euros", "cent", "cents"),
    "GBP": ("pound", "pounds", "penny", "pence"),
    "JPY": ("yen", "yen", "sen", "sen"),
    "CNY": ("yuan", "yuan", "fen", "fen"),
    "INR": ("rupee", "rupees", "paisa", "paise"),
    "CHF": ("Swiss franc", "Swiss francs", "centime", "centimes"),
    "SEK": ("Swedish krona", "Swedish kronor", "öre", "öre"),
    "NOK": ("Norwegian krone", "Norwegian kroner", "øre", "øre"),
    "DKK": ("Danish krone", "Danish kroner", "øre", "øre"),
    "PLN": ("zloty", "zlotys", "grosz", "groszy"),
    "KRW": ("won", "won", "jeon", "jeon"),
    "BRL": ("real", "reais", "centavo", "centavos"),
    "MXN": ("peso", "pesos", "centavo", "centavos"),
    "RUB": ("ruble", "rubles", "kopeck", "kopecks"),
    "UAH": ("hryvnia", "hryvnias", "kopiyka", "kopiykas"),
    "TRY": ("lira", "lira", "kurus", "kurus"),
    "CZK": ("koruna", "korunas", "haler", "halers"),
    "HUF": ("forint", "forints", "filler", "fillers"),
    "ILS": ("shekel", "shekels", "agora", "agorot"),
    "THB": ("baht", "baht", "satang", "satang"),
    "VND": ("dong", "dong", "xu", "xu"),
    "ZAR": ("rand", "rand", "cent", "cents"),
    "HKD": ("Hong Kong dollar", "Hong Kong dollars", "cent", "cents"),
    "RON": ("leu", "lei", "ban", "bani"),
}
"""Currency to one, many, one hundredth, many hundredths."""
SCALES = {
    "thousand": "thousand", "million": "million", "billion": "billion", "trillion": "trillion",
    "bn": "billion", "b": "billion",
    "m": "million", "k": "thousand", "K": "thousand", "M": "million",
    "B": "billion", "tn": "trillion", "T": "trillion", "mn": "million", "mln": "million",
}  # fmt: skip
FRACTIONS = {2: "half", 4: "quarter"}
VULGAR = {
    "½": "a half", "⅓": "a third", "⅔": "two thirds", "¼": "a quarter", "¾": "three quarters",
    "⅛": "an eighth", "⅜": "three eighths", "⅝": "five eighths", "⅞": "seven eighths",
    "⅕": "a fifth", "⅖": "two fifths", "⅗": "three fifths", "⅘": "four fifths",
    "⅙": "a sixth", "⅚": "five sixths", "⅐": "a seventh", "⅑": "a ninth", "⅒": "a tenth",
}  # fmt: skip
ADDRESS_SIGNS = {
    ".": "dot", "@": "at", "/": "slash", "-": "dash", "_": "underscore", ":": "colon", "+": "plus",
    "=": "equals", "%": "percent", "~": "tilde",
}  # fmt: skip
TOP_DOMAINS = "com|org|net|edu|gov|io|dev|app|info|local|co\\.uk|de|fr|nl|eu|uk|ai"
STATES = {
    "AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas", "CA": "California",
    "CO": "Colorado", "CT": "Connecticut", "DE": "Delaware", "FL": "Florida", "GA": "Georgia",
    "HI": "Hawaii", "ID": "Idaho", "IL": "Illinois", "IN": "Indiana", "IA": "Iowa",
    "KS": "Kansas", "KY": "Kentucky", "LA": "Louisiana", "ME": "Maine", "MD": "Maryland",
    "MA": "Massachusetts", "MI": "Michigan", "MN": "Minnesota", "MS": "Mississippi",
    "MO": "Missouri", "MT": "Montana", "NE": "Nebraska", "NV": "Nevada", "NH": "New Hampshire",
    "NJ": "New Jersey", "NM": "New Mexico", "NY": "New York", "NC": "North Carolina",
    "ND": "North Dakota", "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon", "PA": "Pennsylvania",
    "RI": "Rhode Island", "SC": "South Carolina", "SD": "South Dakota", "TN": "Tennessee",
    "TX": "Texas", "UT": "Utah", "VT": "Vermont", "VA": "Virginia", "WA": "Washington",
    "WV": "West Virginia", "WI": "Wisconsin", "WY": "Wyoming", "DC": "D C",
}  # fmt: skip
"""Read before a ZIP code."""
WEEKDAYS = {
    "Mon": "Monday", "Tue": "Tuesday", "Tues": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday",
    "Thur": "Thursday", "Thurs": "Thursday", "Fri": "Friday", "Sat": "Saturday", "Sun": "Sunday",
}  # fmt: skip
FILE_ENDINGS = (
    "ya?ml|json|txt|pdf|py|js|html?|css|csv|zip|exe|docx?|xlsx?|pptx?|png|jpe?g|gif|svg|mp[34]|"
    "wav|flac|ogg|sh|conf|ini|toml|xml|md|log|gz|tar|bin|iso|img|bak|sql|db|onnx|gguf|apk"
)
COUNTED_BY_ROMAN = frozenset(
    {"war", "part", "chapter", "volume", "book", "act", "scene", "episode", "phase", "type",
     "level", "section", "article", "bowl", "mark", "step", "stage", "apollo", "rocky", "title",
     "fantasy", "figure", "table", "appendix", "category", "grade", "tier", "round"}
)  # fmt: skip
ABBREVIATIONS = {
    "mr": "Mister", "mrs": "Missus", "ms": "Miz", "dr": "Doctor", "prof": "Professor",
    "jr": "Junior", "blvd": "Boulevard", "hwy": "Highway", "pkwy": "Parkway", "dept": "Department",
    "e.g": "for example", "i.e": "that is", "etc": "et cetera", "vs": "versus",
    "approx": "approximately", "incl": "including", "excl": "excluding", "avg": "average",
    "tel": "telephone", "temp": "temperature", "hrs": "hours", "mins": "minutes",
    "secs": "seconds", "yrs": "years", "cf": "compare", "ave": "Avenue", "apt": "Apartment",
    "bros": "Brothers", "est": "established", "min": "minimum",
}  # fmt: skip
"""Read wherever they stand with a full stop, which they lose."""
TITLES = {
    "Rev": "Reverend", "Hon": "Honorable", "Gen": "General", "Col": "Colonel", "Capt": "Captain",
    "Lt": "Lieutenant", "Sgt": "Sergeant", "Gov": "Governor", "Sen": "Senator",
    "Rep": "Representative", "Pres": "President", "Mt": "Mount", "Cmdr": "Commander",
    "Adm": "Admiral", "Sr": "Senior",
}  # fmt: skip
"""Read before a name"""
COMPANIES = {"Inc": "Incorporated", "Ltd": "Limited", "Corp": "Corporation", "Co": "Company"}
"""Read behind a name, where the sentence goes on or ends"""
BEFORE_NUMBERS = {
    "fig": "figure", "figs": "figures", "vol": "volume", "ext": "extension", "max": "maximum",
    "min": "minimum", "pp": "pages", "p": "page", "rev": "revision", "ch": "chapter",
    "sec": "section", "art": "article", "apt": "apartment", "rm": "room", "ver": "version",
}  # fmt: skip
"""Read before a number alone"""
NUMBERED = (
    "item room bus track issue chapter opus op flight gate platform order account house apartment "
    "route line page question invoice serial part model case patient lot ticket seat table "
    "symphony concerto sonata building unit suite exit highway channel station step rule section"
)
"""After these "no." is a number"""
TIME_ZONES = frozenset({"EST", "CST", "MST", "PST"})
"""Not the abbreviations of the same letters."""
STREETS = {"Ave": "Avenue", "Blvd": "Boulevard", "Rd": "Road", "Ln": "Lane", "Pkwy": "Parkway",
           "Hwy": "Highway", "hwy": "Highway", "Sq": "Square", "Ct": "Court"}  # fmt: skip
INITIALISMS = (
    "LED|VIP|ZHA|FAQ|IOT|DIY|ETA|ISO|UPS|SOS|UFO|IDE|USSR|AOL|EPA|AAA|SUV|OLED|ESP|PIR|UI|IO|OEM|"
    "OS|EV|ER|EEG|ECU|AR|VR"
)
"""Spelled letter by letter; a voice would read them as words. It spells most others by itself."""
