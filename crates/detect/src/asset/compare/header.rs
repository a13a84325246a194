//! Columns of a list by their names in French and English.
//!
//! Enters: a cell of the first line. Leaves: what the column says. Refuses: other names: their
//! columns are left out. Source: the exports of inventory programs that hospitals use.

/// What a column of the list says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Column {
    Mac,
    Ip,
    Name,
    Serial,
    Vendor,
    Model,
}

/// Names of columns, lower case, without accents and punctuation.
const HEADERS: &[(&str, Column)] = &[
    ("mac", Column::Mac),
    ("adresse mac", Column::Mac),
    ("adresses mac", Column::Mac),
    ("mac address", Column::Mac),
    ("macaddress", Column::Mac),
    ("adresse physique", Column::Mac),
    ("physical address", Column::Mac),
    ("hardware address", Column::Mac),
    ("ethernet", Column::Mac),
    ("ip", Column::Ip),
    ("adresse ip", Column::Ip),
    ("adresses ip", Column::Ip),
    ("ip address", Column::Ip),
    ("ips", Column::Ip),
    ("ipv4", Column::Ip),
    ("ipv4 address", Column::Ip),
    ("adresse ipv4", Column::Ip),
    ("adresse reseau", Column::Ip),
    ("nom", Column::Name),
    ("names", Column::Name),
    ("name", Column::Name),
    ("nom d hote", Column::Name),
    ("nom hote", Column::Name),
    ("nom machine", Column::Name),
    ("nom de la machine", Column::Name),
    ("nom reseau", Column::Name),
    ("nom de l equipement", Column::Name),
    ("nom equipement", Column::Name),
    ("hostname", Column::Name),
    ("host name", Column::Name),
    ("host", Column::Name),
    ("dns name", Column::Name),
    ("computer name", Column::Name),
    ("device name", Column::Name),
    ("asset name", Column::Name),
    ("serial", Column::Serial),
    ("serial number", Column::Serial),
    ("serialnumber", Column::Serial),
    ("serial no", Column::Serial),
    ("s n", Column::Serial),
    ("sn", Column::Serial),
    ("numero de serie", Column::Serial),
    ("n de serie", Column::Serial),
    ("no de serie", Column::Serial),
    ("num serie", Column::Serial),
    ("numero serie", Column::Serial),
    ("vendor", Column::Vendor),
    ("manufacturer", Column::Vendor),
    ("make", Column::Vendor),
    ("brand", Column::Vendor),
    ("constructeur", Column::Vendor),
    ("fabricant", Column::Vendor),
    ("marque", Column::Vendor),
    ("model", Column::Model),
    ("modele", Column::Model),
    ("model name", Column::Model),
    ("nom du modele", Column::Model),
    ("modele de l equipement", Column::Model),
    ("device model", Column::Model),
];

/// What a column's name means.
pub(super) fn column(name: &str) -> Option<Column> {
    let name = plain(name);
    let found = HEADERS.iter().find(|(known, _)| *known == name);
    found.map(|(_, column)| *column)
}

/// Lower case, accents away, words with one blank between them.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        let c = match c {
            'à' | 'â' | 'ä' | 'á' => 'a',
            'é' | 'è' | 'ê' | 'ë' => 'e',
            'î' | 'ï' | 'í' => 'i',
            'ô' | 'ö' | 'ó' => 'o',
            'ù' | 'û' | 'ü' | 'ú' => 'u',
            'ç' => 'c',
            // Between "n" and "de série" only.
            '°' | 'º' => ' ',
            c => c,
        };
        if c.is_alphanumeric() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out.truncate(out.trim_end().len());
    out
}
