namespace Ashlar.Nbd.Protocol;

// Every number of the NBD protocol (NetworkBlockDevice/nbd, doc/proto.md) that is spoken here. All integers on the wire are
// big-endian.

/// <summary>Magic numbers, and limits of the protocol or of this server.</summary>
static class NbdProtocol
{
    /// <summary>NBDMAGIC: "NBDMAGIC".</summary>
    public const ulong InitMagic = 0x4e42444d41474943;

    /// <summary>IHAVEOPT: "IHAVEOPT".</summary>
    public const ulong OptionMagic = 0x49484156454f5054;

    /// <summary>Starts every answer to an option.</summary>
    public const ulong OptionReplyMagic = 0x0003e889045565a9;

    /// <summary>NBD_REQUEST_MAGIC.</summary>
    public const uint RequestMagic = 0x25609513;

    /// <summary>NBD_SIMPLE_REPLY_MAGIC.</summary>
    public const uint SimpleReplyMagic = 0x67446698;

    /// <summary>NBD_STRUCTURED_REPLY_MAGIC.</summary>
    public const uint StructuredReplyMagic = 0x668e33ef;

    /// <summary>NBD_EXTENDED_REQUEST_MAGIC.</summary>
    public const uint ExtendedRequestMagic = 0x21e41c71;

    /// <summary>NBD_EXTENDED_REPLY_MAGIC.</summary>
    public const uint ExtendedReplyMagic = 0x6e8a278c;

    /// <summary>Longest string of the protocol: names, descriptions, queries, messages.</summary>
    public const int MaxStringBytes = 4096;

    /// <summary>Any offset and length are served.</summary>
    public const int MinimumBlockBytes = 1;

    /// <summary>What clients should align to.</summary>
    public const int PreferredBlockBytes = 4096;

    /// <summary>Longest payload of one request, in both directions: what every client may assume when it does not ask.</summary>
    public const int MaximumPayloadBytes = 32 << 20;

    /// <summary>Zeros after the answer to NBD_OPT_EXPORT_NAME, unless the client waived them.</summary>
    public const int ExportNamePaddingBytes = 124;

    /// <summary>The metadata context that tells which parts are allocated.</summary>
    public const string BaseAllocation = "base:allocation";

    /// <summary>What the names of contexts begin with that tell what has changed since a snapshot, whose name follows.</summary>
    public const string DirtySincePrefix = OwnNamespace + "dirty-since:";

    /// <summary>How names of contexts begin that no other server has.</summary>
    public const string OwnNamespace = "ashlar:";
}

/// <summary>NBD_FLAG_*: what the server says in its greeting.</summary>
[Flags]
enum HandshakeFlags : ushort
{
    None = 0,
    FixedNewstyle = 1 << 0,
    NoZeroes = 1 << 1,
}

/// <summary>NBD_FLAG_C_*: what the client answers to the greeting.</summary>
[Flags]
enum ClientFlags : uint
{
    None = 0,
    FixedNewstyle = 1 << 0,
    NoZeroes = 1 << 1,
    Known = FixedNewstyle | NoZeroes,
}

/// <summary>NBD_OPT_*.</summary>
enum OptionCode : uint
{
    ExportName = 1,
    Abort = 2,
    List = 3,
    StartTls = 5,
    Info = 6,
    Go = 7,
    StructuredReply = 8,
    ListMetaContext = 9,
    SetMetaContext = 10,
    ExtendedHeaders = 11,
}

/// <summary>NBD_REP_* and NBD_REP_ERR_*.</summary>
enum OptionReplyCode : uint
{
    Ack = 1,
    Server = 2,
    Info = 3,
    MetaContext = 4,
    Unsupported = 1u << 31 | 1,
    Policy = 1u << 31 | 2,
    Invalid = 1u << 31 | 3,
    Platform = 1u << 31 | 4,
    TlsRequired = 1u << 31 | 5,
    Unknown = 1u << 31 | 6,
    Shutdown = 1u << 31 | 7,
    BlockSizeRequired = 1u << 31 | 8,
    TooBig = 1u << 31 | 9,
    ExtendedHeadersRequired = 1u << 31 | 10,
}

/// <summary>NBD_INFO_*.</summary>
enum InfoCode : ushort
{
    Export = 0,
    Name = 1,
    Description = 2,
    BlockSize = 3,
}

/// <summary>NBD_FLAG_*: what an export can do.</summary>
[Flags]
enum TransmissionFlags : ushort
{
    None = 0,
    HasFlags = 1 << 0,
    ReadOnly = 1 << 1,
    SendFlush = 1 << 2,
    SendFua = 1 << 3,
    Rotational = 1 << 4,
    SendTrim = 1 << 5,
    SendWriteZeroes = 1 << 6,
    SendDontFragment = 1 << 7,
    CanMultiConn = 1 << 8,
    SendResize = 1 << 9,
    SendCache = 1 << 10,
    SendFastZero = 1 << 11,
    BlockStatusPayload = 1 << 12,
}

/// <summary>NBD_CMD_*.</summary>
enum CommandCode : ushort
{
    Read = 0,
    Write = 1,
    Disconnect = 2,
    Flush = 3,
    Trim = 4,
    Cache = 5,
    WriteZeroes = 6,
    BlockStatus = 7,
}

/// <summary>NBD_CMD_FLAG_*.</summary>
[Flags]
enum CommandFlags : ushort
{
    None = 0,
    ForceUnitAccess = 1 << 0,
    NoHole = 1 << 1,
    DontFragment = 1 << 2,
    RequestOne = 1 << 3,
    FastZero = 1 << 4,
    PayloadLength = 1 << 5,
}

static class CommandFlagsExtensions
{
    /// <summary>Enum.HasFlag without the boxes that it costs in code that is not optimised yet.</summary>
    public static bool Has(this CommandFlags flags, CommandFlags flag) => (flags & flag) != CommandFlags.None;
}

/// <summary>NBD_REPLY_FLAG_*.</summary>
[Flags]
enum ChunkFlags : ushort
{
    None = 0,
    Done = 1 << 0,
}

/// <summary>NBD_REPLY_TYPE_*.</summary>
enum ChunkCode : ushort
{
    None = 0,
    OffsetData = 1,
    OffsetHole = 2,
    BlockStatus = 5,
    BlockStatusWide = 6,
    Error = 1 << 15 | 1,
    ErrorOffset = 1 << 15 | 2,
}

/// <summary>NBD_STATE_*: flags of the metadata context base:allocation.</summary>
[Flags]
enum AllocationFlags : uint
{
    None = 0,
    Hole = 1 << 0,
    Zero = 1 << 1,
}

/// <summary>Flags of the metadata contexts that tell what has changed.</summary>
[Flags]
enum DirtyFlags : uint
{
    None = 0,
    Dirty = 1 << 0,
}

/// <summary>The error numbers that a reply may carry; the protocol knows no others.</summary>
enum NbdError : uint
{
    None = 0,
    NotPermitted = 1,
    InputOutput = 5,
    OutOfMemory = 12,
    Invalid = 22,
    NoSpace = 28,
    Overflow = 75,
    NotSupported = 95,
    Shutdown = 108,
}
