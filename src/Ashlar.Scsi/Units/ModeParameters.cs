namespace Ashlar.Scsi;

/// <summary>What initiators may change by MODE SELECT. Shared by all initiators of a unit, forgotten by a reset.</summary>
/// <param name="DescriptorSense">Sense data comes in descriptor format (D_SENSE).</param>
/// <param name="SoftwareWriteProtect">Writes are refused (SWP).</param>
readonly record struct ModeParameters(bool DescriptorSense, bool SoftwareWriteProtect);
