"""Words of English that stand for signs and abbreviations."""

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("January", "Jan"), ("February", "Feb"), ("March", "Mar"), ("April", "Apr"), ("May",),
            ("June", "Jun"), ("July", "Jul"), ("August", "Aug"), ("September", "Sept", "Sep"),
            ("October", "Oct"), ("November", "Nov"), ("December", "Dec"),
        ),
        1,
    )
    for name in names
}  # fmt: skip
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
    "bn": "billion", "m": "million", "k": "thousand", "K": "thousand", "M": "million",
    "B": "billion", "tn": "trillion", "T": "trillion", "mn": "million", "mln": "million",
}  # fmt: skip
FRACTIONS = {2: "half", 4: "quarter"}
VULGAR = {
    "½": "a half", "⅓": "a third", "⅔": "two thirds", "¼": "a quarter", "¾": "three quarters",
    "⅛": "an eighth",
}  # fmt: skip
ADDRESS_SIGNS = {
    ".": "dot", "@": "at", "/": "slash", "-": "dash", "_": "underscore", ":": "colon", "+": "plus",
    "=": "equals", "%": "percent", "~": "tilde",
}  # fmt: skip
TOP_DOMAINS = "com|org|net|edu|gov|io|dev|app|info|local|co\\.uk|de|fr|nl|eu|uk|ai"
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
     "fantasy", "figure", "table", "appendix"}
)  # fmt: skip
ABBREVIATIONS = {
    "mr": "Mister", "mrs": "Missus", "ms": "Miz", "dr": "Doctor", "prof": "Professor",
    "rev": "Reverend", "hon": "Honorable", "gen": "General", "col": "Colonel",
    "capt": "Captain", "lt": "Lieutenant", "sgt": "Sergeant", "gov": "Governor",
    "sen": "Senator", "rep": "Representative", "pres": "President", "jr": "Junior",
    "sr": "Senior", "mt": "Mount", "ave": "Avenue", "blvd": "Boulevard", "rd": "Road",
    "ln": "Lane", "hwy": "Highway", "apt": "Apartment", "dept": "Department", "e.g": "for example",
    "i.e": "that is", "etc": "et cetera", "vs": "versus", "approx": "approximately",
    "est": "established", "incl": "including", "max": "maximum", "avg": "average",
    "tel": "telephone", "ext": "extension", "fig": "figure", "vol": "volume", "inc": "Incorporated",
    "ltd": "Limited", "corp": "Corporation", "co": "Company", "bros": "Brothers",
    "jan": "January", "feb": "February", "aug": "August", "sept": "September", "sep": "September",
    "oct": "October", "nov": "November", "dec": "December", "mon": "Monday", "tue": "Tuesday",
    "tues": "Tuesday", "wed": "Wednesday", "thu": "Thursday", "thur": "Thursday",
    "thurs": "Thursday", "fri": "Friday", "temp": "temperature", "hrs": "hours", "mins": "minutes",
    "secs": "seconds", "yrs": "years", "cf": "compare",
}  # fmt: skip
"""Written with a full stop, which they lose."""
TIME_ZONES = frozenset({"EST", "CST", "MST", "PST"})
"""Not the abbreviations of the same letters."""
STREETS = {"Ave": "Avenue", "Blvd": "Boulevard", "Rd": "Road", "Ln": "Lane", "Pkwy": "Parkway",
           "Hwy": "Highway", "Sq": "Square", "Ct": "Court"}  # fmt: skip
INITIALISMS = (
    "LED|VIP|ZHA|FAQ|IOT|DIY|ETA|ISO|UPS|SOS|UFO|IDE|USSR|AOL|EPA|AAA|SUV|OLED|ESP|PIR|UI|IO|OEM|"
    "OS|EV|ER|EEG|ECU|AR|VR"
)
"""Spelled letter by letter; a voice would read them as words. It spells most others by itself."""
