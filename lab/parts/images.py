#!/usr/bin/env python3
"""DICOM images and worklist entries of the invented patients.

Enters: the run folder after `documents.py`, and a seed. Leaves: RUN/data/dcm, RUN/data/wl,
RUN/study-uid. Pixels come from the test files of the pydicom package, people from `patients.json`.
"""

import json
import os
import sys

import pydicom
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

# folder, test file, modality, description, studies, images in each, first patient
SERIES = [
    ("ct", "CT_small.dcm", "CT", "SCANNER THORACIQUE", 3, 8, 10),
    ("us", "examples_rgb_color.dcm", "US", "ECHOGRAPHIE", 2, 2, 15),
]
FIRST_WORKLIST_PATIENT, WORKLIST_ENTRIES = 10, 4
DAY = "20261123"
WORKLIST_CLASS = "1.2.840.10008.5.1.4.31"


def main(run, seed):
    with open(os.path.join(run, "patients.json"), encoding="utf-8") as file:
        people = json.load(file)
    for series in SERIES:
        images(run, seed, people, *series)
    for number in range(WORKLIST_ENTRIES):
        entry(run, seed, people[FIRST_WORKLIST_PATIENT + number], number)
    with open(os.path.join(run, "study-uid"), "w", encoding="ascii") as file:
        file.write(uid(seed, "ct", 1))


def uid(seed, *what):
    """An identifier that only the seed decides."""
    return generate_uid(entropy_srcs=[str(part) for part in (*what, seed)])


def identify(dataset, p):
    """Puts an invented patient into a data set."""
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientName = f"{p['nom']}^{p['prenom']}"
    dataset.PatientID = p["ipp"]
    dataset.PatientBirthDate = p["ddn"].replace("-", "")
    dataset.PatientSex = p["sexe"]


def images(run, seed, people, folder, source, modality, text, studies, count, first):
    """The studies of one device."""
    target = os.path.join(run, "data/dcm", folder)
    os.makedirs(target, exist_ok=True)
    pixels = get_testdata_file(source)
    for study in range(studies):
        for number in range(count):
            d = pydicom.dcmread(pixels)
            identify(d, people[first + study])
            d.AccessionNumber = f"ACC{folder}{study}"
            d.StudyInstanceUID = uid(seed, folder, study)
            d.SeriesInstanceUID = uid(seed, folder, study, "series")
            d.SOPInstanceUID = uid(seed, folder, study, number, "image")
            d.InstanceNumber = number + 1
            d.Modality, d.StudyDescription = modality, text
            d.StudyDate, d.InstitutionName = DAY, "CHU de Rivemont"
            d.file_meta.MediaStorageSOPInstanceUID = d.SOPInstanceUID
            d.save_as(os.path.join(target, f"{folder}{study}_{number:02d}.dcm"))


def entry(run, seed, p, number):
    """One scheduled examination for the worklist server."""
    d = Dataset()
    identify(d, p)
    d.AccessionNumber = f"ACCct{number}"
    d.StudyInstanceUID = uid(seed, "ct", number)
    d.RequestedProcedureDescription, d.RequestedProcedureID = "SCANNER", f"R{number}"
    step = Dataset()
    step.Modality, step.ScheduledStationAETitle = "CT", "CT1"
    step.ScheduledProcedureStepStartDate = DAY
    step.ScheduledProcedureStepStartTime = "100000"
    step.ScheduledPerformingPhysicianName = "MARTIN^Claire"
    step.ScheduledProcedureStepDescription = "SCANNER"
    step.ScheduledProcedureStepID = f"S{number}"
    d.ScheduledProcedureStepSequence = [step]
    d.file_meta = FileMetaDataset()
    d.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    d.file_meta.MediaStorageSOPClassUID = WORKLIST_CLASS
    d.file_meta.MediaStorageSOPInstanceUID = uid(seed, "worklist", number)
    d.save_as(os.path.join(run, f"data/wl/PACSCHU/w{number}.wl"), enforce_file_format=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
