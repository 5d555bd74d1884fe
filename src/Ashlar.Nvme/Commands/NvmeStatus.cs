using System.Diagnostics.CodeAnalysis;

namespace Ashlar.Nvme;

/// <summary>
/// How a command ended: bits 0 to 7 are the code, 8 to 10 its type, and bit 14 says that trying again is of no use (NVM Express Base
/// 2.0, 3.3.3.2.1).
/// </summary>
[Flags]
[SuppressMessage("Design", "MA0062", Justification = "A code and one bit beside it.")]
enum NvmeStatus : ushort
{
    Success = 0x000,
    InvalidOpcode = 0x001,
    InvalidField = 0x002,
    CommandIdConflict = 0x003,
    InternalError = 0x006,
    AbortRequested = 0x007,
    FailedFused = 0x009,
    MissingFused = 0x00A,
    InvalidNamespace = 0x00B,
    CommandSequenceError = 0x00C,
    DataSglLengthInvalid = 0x00F,
    SglDescriptorTypeInvalid = 0x011,
    AtomicWriteUnitExceeded = 0x014,
    SglOffsetInvalid = 0x016,
    KeepAliveTimeoutInvalid = 0x019,
    NamespaceWriteProtected = 0x020,
    TransientTransportError = 0x022,
    HostIdentifierInconsistentFormat = 0x024,
    LbaOutOfRange = 0x080,
    CapacityExceeded = 0x081,
    ReservationConflict = 0x083,
    InvalidQueueIdentifier = 0x101,
    AsynchronousEventLimitExceeded = 0x105,
    InvalidLogPage = 0x109,
    FeatureNotSaveable = 0x10D,
    FeatureNotChangeable = 0x10E,
    ConnectIncompatibleFormat = 0x180,
    ConnectControllerBusy = 0x181,
    ConnectInvalidParameters = 0x182,
    ConnectInvalidHost = 0x184,
    AuthenticationRequired = 0x191,
    WriteFault = 0x280,
    UnrecoveredReadError = 0x281,
    CompareFailure = 0x285,
    AnaInaccessible = 0x302,
    DoNotRetry = 0x4000,
}
