namespace Ashlar.Nvme;

/// <summary>Admin commands (NVM Express Base 2.0, figure 138).</summary>
enum AdminOpcode : byte
{
    GetLogPage = 0x02,
    Identify = 0x06,
    Abort = 0x08,
    SetFeatures = 0x09,
    GetFeatures = 0x0A,
    AsynchronousEventRequest = 0x0C,
    KeepAlive = 0x18,
}

/// <summary>I/O commands (NVM Command Set 1.0, figure 20, and NVM Express Base 2.0, 7).</summary>
enum NvmOpcode : byte
{
    Flush = 0x00,
    Write = 0x01,
    Read = 0x02,
    Compare = 0x05,
    WriteZeroes = 0x08,
    DatasetManagement = 0x09,
    ReservationRegister = 0x0D,
    ReservationReport = 0x0E,
    ReservationAcquire = 0x11,
    ReservationRelease = 0x15,
}

/// <summary>Fabrics commands (NVM Express Base 2.0, 6).</summary>
enum FabricsType : byte
{
    PropertySet = 0x00,
    Connect = 0x01,
    PropertyGet = 0x04,
    AuthenticationSend = 0x05,
    AuthenticationReceive = 0x06,
    Disconnect = 0x08,
}
