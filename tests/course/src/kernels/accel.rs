//! What runs a guest's instructions.

/// How qemu runs the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Accel {
    /// KVM, if a guest boots with it; or else TCG
    Auto,
    /// The processor itself
    Kvm,
    /// Emulation: works everywhere, ten times slower and more
    Tcg,
}

impl Accel {
    /// What it is called for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "KVM or TCG",
            Self::Kvm => "KVM",
            Self::Tcg => "TCG",
        }
    }

    /// qemu's arguments.
    pub fn arguments(self) -> [&'static str; 4] {
        match self {
            Self::Kvm => ["-accel", "kvm", "-cpu", "host"],
            Self::Auto | Self::Tcg => ["-accel", "tcg,thread=multi,tb-size=512", "-cpu", "max"],
        }
    }
}
