#!/usr/bin/env python3
"""Documents of an invented hospital: people, letters, messages, records, scripts.

Enters: the run folder and a seed. Leaves: RUN/data and the scripts that smbclient runs. The same seed
gives the same documents. Refuses: nothing. All people are invented; the NIR keys are valid, the commune
codes (99...) are not. Source: NIR key: decree 82-103; HL7 v2.5 PAM-FR; HL7 FR Core for FHIR.
"""

import datetime
import json
import os
import random
import sys

FAMILY = (
    "MARCHAND LEFEVRE ROUSSEL GAUTHIER PERRIN MOREL CHEVALIER BLANCHARD DUFOUR BRETON COLLET NOËL "
    "HERVÉ LECLERCQ GUÉRIN BENOÎT MAILLARD FAVRE JACQUET VASSEUR"
).split()
GIVEN = (
    "Camille Élodie Hugo Inès Jules Léa Maëlle Noah Océane Raphaël Sofia Théo Yanis Zoé Agathe Bastien"
).split()
DIAGNOSES = [
    "Insuffisance cardiaque congestive (I50.0)",
    "Diabète de type 2 (E11.9)",
    "Pneumopathie (J18.9)",
    "VIH, suivi (B24)",
    "Épisode dépressif sévère (F32.2)",
    "Tumeur maligne du sein (C50.9)",
    "Fracture du col du fémur (S72.0)",
    "BPCO (J44.1)",
]
PROSE = (
    "examen clinique stable traitement poursuivi contrôle biologique demandé tension artérielle "
    "consultation hospitalisation imagerie service"
).split()
PEOPLE, LETTERS, MESSAGES, RECORDS = 240, 130, 40, 60
FOLDERS = "share share2 hl7 www/fhir www/portail wl/PACSCHU exfil inet"


def main(run, seed):
    rnd = random.Random(seed)
    data = os.path.join(run, "data")
    for folder in FOLDERS.split():
        os.makedirs(os.path.join(data, folder), exist_ok=True)
    people = [person(rnd, number) for number in range(PEOPLE)]
    save(run, "patients.json", json.dumps(people, ensure_ascii=False))
    extracts(data, people)
    letters(data, rnd, people)
    messages(data, rnd, people)
    records(data, people)
    web_files(data, rnd, seed)
    file_scripts(run, data, rnd)
    save(run, "base.ldif", directory(rnd))
    # The worklist server wants this file beside its entries.
    save(data, "wl/PACSCHU/lockfile", "")


def save(folder, name, content):
    """Writes text or octets."""
    binary = isinstance(content, bytes)
    options = {} if binary else {"encoding": "utf-8", "newline": ""}
    with open(os.path.join(folder, name), "wb" if binary else "w", **options) as file:
        file.write(content)


def person(rnd, number):
    """An invented person."""
    sex = rnd.choice([1, 2])
    born = datetime.date(1932, 1, 1) + datetime.timedelta(days=rnd.randint(0, 31000))
    return {
        "ipp": f"80{1000 + number:06d}",
        "nom": rnd.choice(FAMILY),
        "prenom": rnd.choice(GIVEN),
        "sexe": "MF"[sex - 1],
        "ddn": str(born),
        "nir": nir(rnd, sex, born),
        "dx": rnd.choice(DIAGNOSES),
        "tel": f"06{rnd.randint(0, 99999999):08d}",
    }


def nir(rnd, sex, born):
    """A social security number: 13 digits and a key of two, 97 less the rest of 97."""
    department = rnd.choice([13, 31, 33, 35, 59, 67, 69, 75])
    commune = f"99{rnd.randint(0, 9)}"
    body = f"{sex}{born.year % 100:02d}{born.month:02d}{department:02d}{commune}{rnd.randint(1, 999):03d}"
    return body + f"{97 - int(body) % 97:02d}"


def french(iso):
    """A date as French letters write it."""
    return "/".join(reversed(iso.split("-")))


def extracts(data, people):
    """What the intruder carries away."""
    rows = ["IPP;NOM;PRENOM;SEXE;DATE_NAISSANCE;NIR_INS;TELEPHONE;DIAGNOSTIC"]
    for p in people:
        fields = (p["ipp"], p["nom"], p["prenom"], p["sexe"], french(p["ddn"]), p["nir"], p["tel"])
        rows.append(";".join((*fields, p["dx"])))
    save(data, "exfil/patients.csv", "\n".join(rows) + "\n")
    save(data, "exfil/extrait.txt", "\n".join(rows[:40]))


def letters(data, rnd, people):
    """Reports on the file share."""
    for number in range(LETTERS):
        p = people[number]
        head = (
            f"CHU de Rivemont - Compte rendu {number}\r\n"
            f"Patient : {p['nom']} {p['prenom']}, né(e) le {french(p['ddn'])}\r\n"
            f"INS : {p['nir']}\r\n{p['dx']}\r\n"
        )
        lines = [" ".join(rnd.choice(PROSE) for _ in range(12)) for _ in range(rnd.randint(20, 260))]
        plain = p["nom"].translate(str.maketrans("ÉËÎ", "EEI"))
        save(data, f"share/CR_{number:03d}_{plain}.txt", head + "\r\n".join(lines))
    save(data, "newdoc.txt", "Planning des internes\n" * 200)


def header(kind, sender, receiver, number):
    """MSH of an HL7 v2 message."""
    clock = f"2026112310{number // 60 % 60:02d}{number % 60:02d}"
    tail = "P|2.5^FRA^2.11|||||FRA|UNICODE UTF-8"
    return f"MSH|^~\\&|{sender}|CHU|{receiver}|CHU|{clock}||{kind}|M{number:06d}|{tail}"


def identification(p):
    """PID with the hospital's own identifier and the national one."""
    own = f"{p['ipp']}^^^CHU&1.2.250.1.999.1&ISO^PI"
    national = f"{p['nir']}^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS"
    name = f"{p['nom']}^{p['prenom']}^^^^^L"
    born = p["ddn"].replace("-", "")
    home = "12 rue des Lilas^^RIVEMONT^^99000^FRA"
    return f"PID|1||{own}~{national}||{name}||{born}|{p['sexe']}|||{home}||{p['tel']}^PRN^CP"


def messages(data, rnd, people):
    """Admissions, laboratory results, and the merge that only the intruder sends."""
    for number in range(MESSAGES):
        p = people[number]
        kind = rnd.choice(["ADT^A01^ADT_A01", "ADT^A08^ADT_A01", "ADT^A03^ADT_A03"])
        admission = [
            header(kind, "GAP", "EAI", number),
            "EVN||20261123100000",
            identification(p),
            "PV1|1|I|CARDIO^101^A^CHU||||10001234567^MARTIN^Claire^^^Dr^^^RPPS",
        ]
        haemoglobin, creatinine = rnd.uniform(9, 16), rnd.randint(40, 180)
        result = [
            header("ORU^R01^ORU_R01", "LABO", "EAI", 500 + number),
            identification(p),
            "OBR|1|||718-7^Hemoglobine^LN",
            f"OBX|1|NM|718-7^Hémoglobine^LN||{haemoglobin:.1f}|g/dL|12-16|N|||F",
            f"OBX|2|NM|2160-0^Créatinine^LN||{creatinine}|umol/L|45-104|N|||F",
        ]
        save(data, f"hl7/adt{number:02d}.hl7", "\r".join(admission) + "\r")
        save(data, f"hl7/oru{number:02d}.hl7", "\r".join(result) + "\r")
    rogue = [
        header("ADT^A40^ADT_A39", "GAP", "EAI", 900),
        "EVN||20261123100000",
        identification(people[3]),
        f"MRG|{people[4]['ipp']}",
    ]
    save(data, "hl7/rogue.hl7", "\r".join(rogue) + "\r")


def patient(p):
    """A FHIR Patient."""
    hl7_fr = "https://hl7.fr/ig/fhir/core"
    kind = {"system": f"{hl7_fr}/CodeSystem/fr-core-cs-v2-0203", "code": "INS-NIR"}
    return {
        "resourceType": "Patient",
        "id": p["ipp"],
        "meta": {"profile": [f"{hl7_fr}/StructureDefinition/fr-core-patient-ins"]},
        "identifier": [{
            "use": "official",
            "type": {"coding": [kind]},
            "system": "urn:oid:1.2.250.1.213.1.4.8",
            "value": p["nir"],
        }],
        "name": [{"use": "official", "family": p["nom"], "given": [p["prenom"]]}],
        "gender": {"M": "male", "F": "female"}[p["sexe"]],
        "birthDate": p["ddn"],
        "telecom": [{"system": "phone", "value": p["tel"]}],
    }


def records(data, people):
    """What the record portal and the insurer's interface carry."""
    some = [patient(p) for p in people[:RECORDS]]
    for record in some:
        text = json.dumps(record, ensure_ascii=False)
        save(data, f"www/fhir/Patient-{record['id']}.json", text)
    bundle = {"resourceType": "Bundle", "type": "searchset", "total": RECORDS}
    bundle["entry"] = [{"resource": record} for record in some]
    save(data, "www/fhir/Bundle.json", json.dumps(bundle, ensure_ascii=False))
    claims = [
        {"resourceType": "Claim", "id": f"c{i}", "status": "active",
         "total": {"value": 120 + i, "currency": "EUR"}}
        for i in range(8)
    ]
    message = {"resourceType": "Bundle", "type": "message"}
    message["entry"] = [{"resource": resource} for resource in some[:8] + claims]
    save(data, "claims.json", json.dumps(message, ensure_ascii=False))


def web_files(data, rnd, seed):
    """Pages of the portal, and what lies on the outside sites."""
    page = (
        "<!doctype html><html lang=fr><title>Dossier patient</title><link rel=stylesheet href=s.css>"
        "<script src=app.js></script><h1>Dossier patient informatis&eacute;</h1><img src=logo.png><p>"
    )
    save(data, "www/portail/index.html", page + "Bienvenue. " * 200)
    script = "/* portail */" + "function f(){return %d};" % seed * 900
    save(data, "www/portail/app.js", script)
    save(data, "www/portail/s.css", "h1{color:#045}" * 100)
    save(data, "www/portail/logo.png", b"\x89PNG\r\n\x1a\n" + rnd.randbytes(9000))
    # The EICAR test string, in two halves so that no scanner takes this file for it.
    eicar = r"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*"
    save(data, "inet/eicar.com", eicar)
    for name, octets in (("doc.bin", 180_000), ("maj.bin", 400_000), ("task", 180)):
        save(data, f"inet/{name}", rnd.randbytes(octets))
    save(data, "inet/index.html", "<h1>ok</h1>" * 50)


def file_scripts(run, data, rnd):
    """What smbclient does as the backup, and as the locker."""
    for folder in ("enc", "bk"):
        os.makedirs(os.path.join(run, folder), exist_ok=True)
    names = sorted(os.listdir(os.path.join(data, "share")))
    backup = [f"lcd {run}/bk"] + [f"get {name}" for name in names[:60]]
    for i in range(6):
        backup += [f"put {data}/newdoc.txt sauve_{i}.tmp", f"rename sauve_{i}.tmp sauve_{i}.bak"]
    save(run, "smb_backup.txt", "\n".join(backup) + "\n")
    locker = [f"lcd {run}/enc"]
    for name in names:
        octets = os.path.getsize(os.path.join(data, "share", name)) + 512
        save(run, f"enc/{name}.new", rnd.randbytes(octets))
        locker += [f"get {name}", f"put {name}.new {name}", f"rename {name} {name}.rivlock"]
    save(run, "enc/note.txt", "VOS FICHIERS SONT CHIFFRES. (exercice)\n" * 12)
    locker.append("put note.txt LISEZ_MOI_RESTAURATION.txt")
    save(run, "smb_ransom.txt", "\n".join(locker) + "\n")


def directory(rnd):
    """The LDAP tree: 80 agents."""
    base = "dc=chu-rivemont,dc=test"
    entries = [
        f"dn: {base}\nobjectClass: dcObject\nobjectClass: organization\no: CHU Rivemont\n"
        "dc: chu-rivemont\n",
        f"dn: ou=agents,{base}\nobjectClass: organizationalUnit\nou: agents\n",
    ]
    for i in range(80):
        surname = rnd.choice(FAMILY).encode("ascii", "ignore").decode()
        role = rnd.choice(["medecin", "infirmier", "secretaire", "admin"])
        entries.append(
            f"dn: uid=a{i:03d},ou=agents,{base}\nobjectClass: inetOrgPerson\nuid: a{i:03d}\n"
            f"cn: Agent {i}\nsn: {surname}\nmail: a{i:03d}@chu-rivemont.test\n"
            f"userPassword: Secret-{i:03d}\nemployeeType: {role}\n"
        )
    return "\n".join(entries)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
