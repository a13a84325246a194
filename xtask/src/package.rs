//! `./dev package`: a .deb and a tarball that a machine without network can install.
//!
//! Enters: the release binary (`VIGIE_BIN`) and the shipped data. Leaves: two files in `dist/`
//! beside the target folder. Refuses: to pack without the recorded day. Source: Debian Policy
//! chapter 5 (control).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{metadata, notices, run};

/// Data that ships: from the tree, below `usr/share/vigie`.
const SHARED: &[&str] = &["rules", "lab/recorded"];

/// Builds both packages of the release binary; returns the .deb.
pub fn build(root: &Path) -> Result<PathBuf> {
    let binary = PathBuf::from(std::env::var("VIGIE_BIN").context("VIGIE_BIN is not set")?);
    let (deb, stage) = build_deb(root, &binary, "xz")?;
    let (out, name) = (stage.parent(), stage.file_name());
    let (out, name) = (out.context("no folder")?, name.context("no name")?);
    let tarball = stage.with_extension("0-linux-x86_64.tar.gz");
    let mut tar = Command::new("tar");
    tar.args(["--owner=0", "--group=0", "--exclude=DEBIAN", "-czf"])
        .arg(&tarball);
    tar.arg("-C").arg(out).arg(name);
    ensure!(run::streamed(&mut tar, |_| ())?, "tar failed");
    for file in [&deb, &tarball] {
        println!("{} {} bytes", file.display(), fs::metadata(file)?.len());
    }
    Ok(deb)
}

/// Builds the .deb of any binary of this project; returns it and what is in it.
pub fn build_deb(root: &Path, binary: &Path, compression: &str) -> Result<(PathBuf, PathBuf)> {
    let out = binary
        .ancestors()
        .nth(2)
        .context("no target folder")?
        .join("dist");
    let version = version(root)?;
    let stage = out.join(format!("vigie-{version}"));
    if stage.exists() {
        fs::remove_dir_all(&stage)?;
    }
    stage_files(root, binary, &stage)?;
    let deb = debian(&stage, &out, &version, compression)?;
    Ok((deb, stage))
}

fn version(root: &Path) -> Result<String> {
    let text = fs::read_to_string(root.join("Cargo.toml"))?;
    let manifest: toml::Value = toml::from_str(&text)?;
    let version = &manifest["workspace"]["package"]["version"];
    Ok(version.as_str().context("no workspace version")?.to_owned())
}

fn stage_files(root: &Path, binary: &Path, stage: &Path) -> Result<()> {
    let put = |to: &str, bytes: &[u8]| -> Result<()> {
        let path = stage.join(to);
        fs::create_dir_all(path.parent().context("no parent")?)?;
        Ok(fs::write(path, bytes)?)
    };
    let ask = |arguments: &[&str]| -> Result<Vec<u8>> {
        let out = Command::new(binary).args(arguments).output()?;
        ensure!(
            out.status.success(),
            "{} {arguments:?} failed",
            binary.display()
        );
        Ok(out.stdout)
    };
    fs::create_dir_all(stage.join("usr/bin"))?;
    fs::copy(binary, stage.join("usr/bin/vigie"))?;
    put("usr/share/man/man1/vigie.1", &ask(&["man"])?)?;
    let completions = "usr/share/bash-completion/completions/vigie";
    put(completions, &ask(&["completions", "bash"])?)?;
    put("lib/systemd/system/vigie.service", UNIT.as_bytes())?;
    put(
        "usr/share/doc/vigie/vigie.toml.example",
        &ask(&["config", "show"])?,
    )?;
    put(
        "usr/share/doc/vigie/copyright",
        &fs::read(root.join("LICENSE"))?,
    )?;
    put(
        "usr/share/doc/vigie/README.md",
        &fs::read(root.join("README.md"))?,
    )?;
    let packages = metadata::packages(root)?;
    put(
        "usr/share/doc/vigie/THIRD-PARTY-NOTICES",
        notices::text(&packages).as_bytes(),
    )?;
    for folder in SHARED {
        copy_folder(
            &root.join(folder),
            &stage.join("usr/share/vigie").join(folder),
        )?;
    }
    let day = stage.join("usr/share/vigie/lab/recorded/day.pcap.zst.xor");
    ensure!(
        day.is_file(),
        "the recorded day is missing: ./dev xtask lab record"
    );
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("{}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn debian(stage: &Path, out: &Path, version: &str, compression: &str) -> Result<PathBuf> {
    let control = format!(
        "Package: vigie\nVersion: {version}\nArchitecture: amd64\nMaintainer: The Vigie authors \
         <security@vigie.invalid>\nSection: net\nPriority: optional\nDepends: libc6 (>= 2.36), \
         libgcc-s1\nDescription: the lookout of a hospital's network\n Sees every device and every \
         conversation, DICOM and HL7 included, keeps it in a\n searchable store without showing a \
         name, and gives one console to the people in charge.\n"
    );
    fs::create_dir_all(stage.join("DEBIAN"))?;
    fs::write(stage.join("DEBIAN/control"), control)?;
    let deb = out.join(format!("vigie_{version}_amd64.deb"));
    let mut command = Command::new("dpkg-deb");
    command
        .args(["--root-owner-group", &format!("-Z{compression}"), "--build"])
        .arg(stage)
        .arg(&deb);
    ensure!(run::streamed(&mut command, |_| ())?, "dpkg-deb failed");
    Ok(deb)
}

const UNIT: &str = "[Unit]
Description=Vigie, the lookout of this hospital's network
After=network.target

[Service]
ExecStart=/usr/bin/vigie up
Restart=on-failure
StateDirectory=vigie
AmbientCapabilities=CAP_NET_RAW
CapabilityBoundingSet=CAP_NET_RAW
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes

[Install]
WantedBy=multi-user.target
";
