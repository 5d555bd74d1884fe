namespace Ashlar.Nvme;

/// <summary>Kinds of PDU (NVMe/TCP Transport 1.0, 3.6.1).</summary>
enum PduType : byte
{
    InitializeConnectionRequest = 0x00,
    InitializeConnectionResponse = 0x01,
    HostTermination = 0x02,
    ControllerTermination = 0x03,
    CommandCapsule = 0x04,
    ResponseCapsule = 0x05,
    HostData = 0x06,
    ControllerData = 0x07,
    ReadyToTransfer = 0x09,
}

/// <summary>Flags of the common header.</summary>
[Flags]
enum PduFlags : byte
{
    None = 0x00,
    HeaderDigest = 0x01,
    DataDigest = 0x02,
    LastPdu = 0x04,

    /// <summary>The command has succeeded, and no response capsule follows.</summary>
    Success = 0x08,
}
