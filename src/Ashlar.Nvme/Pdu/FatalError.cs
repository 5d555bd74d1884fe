namespace Ashlar.Nvme;

/// <summary>Why a connection is ended (NVMe/TCP Transport 1.0, 3.6.2.7).</summary>
enum FatalStatus : ushort
{
    InvalidHeaderField = 0x01,
    PduSequenceError = 0x02,
    HeaderDigestError = 0x03,
    DataOutOfRange = 0x04,
    DataLimitExceeded = 0x05,
    UnsupportedParameter = 0x06,
}

/// <summary>An error after which no PDU of a host can be understood any more.</summary>
/// <param name="Status">What the host is told.</param>
/// <param name="Information">The offset of the field that is wrong, or the digest that was received.</param>
/// <param name="What">What the operator is told.</param>
readonly record struct FatalError(FatalStatus Status, uint Information, string What);

/// <summary>A host does not keep to the transport; its connection ends.</summary>
sealed class FatalErrorException(FatalError error) : Exception(error.What)
{
    public FatalError Error { get; } = error;
}
