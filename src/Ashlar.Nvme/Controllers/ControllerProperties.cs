namespace Ashlar.Nvme;

/// <summary>What a change of a property asks for beyond the value.</summary>
enum ControllerChange
{
    None = 0,

    /// <summary>Queues end: the host begins anew.</summary>
    Reset,

    /// <summary>Queues end, and what was written is made durable.</summary>
    Shutdown,
}

/// <summary>
/// The properties of a controller (NVM Express Base 2.0, 3.1.3): what it can, how the host wants it, and how it is. Set by the thread of
/// the admin queue, read by those of others.
/// </summary>
sealed class ControllerProperties
{
    /// <summary>Version 1.4.0.</summary>
    public const uint Version = 0x0001_0400;

    const uint CapabilitiesOffset = 0x00, VersionOffset = 0x08, ConfigurationOffset = 0x14, StatusOffset = 0x1C;

    // Queues of so many entries, which are contiguous; the time of a change in units of 500 ms; the NVM command set.
    const ulong Capabilities = (QueuePair.MaxDepth - 1) | (1UL << 16) | (30UL << 24) | (1UL << 37);

    const uint Enable = 1, Ready = 1, Fatal = 2, ShutdownStatus = 3 << 2, ShutdownOccurs = 1 << 2, ShutdownComplete = 2 << 2;
    const int CommandSetShift = 4, PageSizeShift = 7, ArbitrationShift = 11, ShutdownShift = 14, EntrySizesShift = 16;
    const uint ThreeBits = 7, FourBits = 15, ShutdownMask = 3u << ShutdownShift;

    // Entries of 2^6 and 2^4 bytes.
    const uint EntrySizes = 0x46;

    uint configuration;
    uint status;

    /// <summary>Whether commands other than those of fabrics are taken.</summary>
    public bool IsReady => (Volatile.Read(ref status) & Ready) != 0;

    public NvmeStatus Get(in SubmissionEntry entry, out ulong value)
    {
        var (found, sizeBytes) = entry.Dword11 switch
        {
            CapabilitiesOffset => (Capabilities, 8),
            VersionOffset => (Version, 4),
            ConfigurationOffset => (configuration, 4),
            StatusOffset => (Volatile.Read(ref status), 4),
            _ => (0UL, 0),
        };
        value = found;
        return sizeBytes == SizeBytes(entry) ? NvmeStatus.Success : NvmeStatus.InvalidField | NvmeStatus.DoNotRetry;
    }

    /// <summary>Sets the configuration, the only property that hosts may set.</summary>
    public NvmeStatus Set(in SubmissionEntry entry, out ControllerChange change)
    {
        change = ControllerChange.None;
        if (entry.Dword11 != ConfigurationOffset || SizeBytes(entry) != sizeof(uint) || entry.Dword13 != 0)
            return NvmeStatus.InvalidField | NvmeStatus.DoNotRetry;
        var wanted = entry.Dword12;
        var wasEnabled = (configuration & Enable) != 0;
        var isEnabled = (wanted & Enable) != 0;
        var shutsDown = (wanted & ShutdownMask) != 0 && (configuration & ShutdownMask) == 0;
        configuration = wanted;
        var next = status;
        if (isEnabled && !wasEnabled) next = IsSupported(wanted) ? Ready : Fatal;
        if (wasEnabled && !isEnabled)
        {
            next = 0;
            change = ControllerChange.Reset;
        }
        if (shutsDown)
        {
            next = (next & ~ShutdownStatus) | ShutdownOccurs;
            change = ControllerChange.Shutdown;
        }
        Volatile.Write(ref status, next);
        return NvmeStatus.Success;
    }

    /// <summary>
    /// A shutdown has ended. One that failed may be asked for again: nothing is complete before what is cached is durable.
    /// </summary>
    public void EndShutdown(bool isDone)
    {
        if (!isDone) configuration &= ~ShutdownMask;
        Volatile.Write(ref status, (status & ~ShutdownStatus) | (isDone ? ShutdownComplete : 0));
    }

    // Pages of 4 KiB, round robin, the NVM command set alone or whatever there is, entries of the usual sizes (which Linux sets).
    static bool IsSupported(uint wanted) =>
        ((wanted >> PageSizeShift) & FourBits) == 0
        && ((wanted >> ArbitrationShift) & ThreeBits) == 0
        && ((wanted >> CommandSetShift) & ThreeBits) is 0 or 6
        && ((wanted >> EntrySizesShift) & 0xFF) == EntrySizes;

    static int SizeBytes(in SubmissionEntry entry) => (entry.Dword10 & ThreeBits) switch
    {
        0 => 4,
        1 => 8,
        _ => -1,
    };
}
