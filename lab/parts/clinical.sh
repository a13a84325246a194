# clinical.sh - what only a hospital has: images, worklist, messages, the building's controller.

clinical_services() {
    image_archive
    bg ris wlmscpfs -dfp "$RUN/data/wl" 4243
    bg ris "$PY" "$LAB/parts/programs/hl7_engine.py" 10.20.10.20 2575
    bg plc "$PY" "$LAB/parts/programs/controller.py" 10.20.40.20
}

# Orthanc accepts any calling AE title by default; the attack `dicom_steal` uses that.
image_archive() {
    cat >"$RUN/orthanc.json" <<EOF
{
  "Name": "PACS-CHU",
  "StorageDirectory": "$RUN/images", "IndexDirectory": "$RUN/images",
  "HttpPort": 8042, "RemoteAccessAllowed": true,
  "AuthenticationEnabled": true, "RegisteredUsers": {"medecin": "Medecin1"},
  "DicomAet": "PACSCHU", "DicomPort": 4242,
  "DicomModalities": {
    "ct": ["CT1", "10.20.20.11", 104],
    "us": ["US1", "10.20.20.12", 104],
    "ws1": ["WS1", "10.20.30.11", 104]
  },
  "Plugins": ["/usr/share/orthanc/plugins/libOrthancDicomWeb.so"],
  "DicomWeb": {"Enable": true}
}
EOF
    bg pacs Orthanc "$RUN/orthanc.json"
}
