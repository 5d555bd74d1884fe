using System.Buffers.Binary;
using System.Text;
using Ashlar.Blocks;

namespace Ashlar.Nvme;

/// <summary>Log pages (NVM Express Base 2.0, figure 202).</summary>
enum LogPage : byte
{
    Errors = 0x01,
    Health = 0x02,
    FirmwareSlots = 0x03,
    ChangedNamespaces = 0x04,
    Effects = 0x05,
    AsymmetricAccess = 0x0C,
    Discovery = 0x70,
    Reservations = 0x80,
}

/// <summary>Get Log Page (NVM Express Base 2.0, 5.16).</summary>
sealed class LogPages(Controller controller, NvmeNode node)
{
    /// <summary>The group of the only namespace.</summary>
    public const uint AccessGroup = 1;

    /// <summary>The longest piece of a page: what a command may move.</summary>
    const int MaxBytes = PduFrame.MaxHostDataBytes;

    const uint RetainEventBit = 1 << 15;

    /// <summary>
    /// Dword 10 has the page (bits 0 to 7), what is asked of it (8 to 14), whether the event stays (15) and the lower half of the length in
    /// dwords, from 0; dword 11 has the upper half, dwords 12 and 13 the offset.
    /// </summary>
    public AdminReply Answer(in SubmissionEntry entry)
    {
        var length = (((entry.Dword10 >> 16) | ((ulong)(ushort)entry.Dword11 << 16)) + 1) * 4;
        var offset = entry.Quad12;
        if (length > MaxBytes || offset % 4 != 0) return AdminReply.Invalid;
        var status = AdminCommands.CheckBuffer(entry, (int)length);
        if (status != NvmeStatus.Success) return new(status);
        // Order: what is read is gone, so nothing is refused behind that, and it is gone only when it went out from its begin.
        var clears = (entry.Dword10 & RetainEventBit) == 0 && offset == 0;
        if (Page(entry, clears, (int)length) is not { } page) return new(NvmeStatus.InvalidLogPage | NvmeStatus.DoNotRetry);
        if (offset > (ulong)page.Length) return AdminReply.Invalid;

        // What is asked for beyond the end is zeros.
        var answer = new byte[length];
        page.AsSpan((int)offset, (int)Math.Min(length, (ulong)page.Length - offset)).CopyTo(answer);
        return new(NvmeStatus.Success, Data: answer);
    }

    byte[]? Page(in SubmissionEntry entry, bool clears, int lengthBytes)
    {
        var what = (LogPage)(byte)entry.Dword10;
        if (controller.Subsystem is not { } subsystem)
            return what == LogPage.Discovery
                ? DiscoveryList.Describe(node.List(controller.Host), node.Portals.For(controller.Dialled))
                : null;
        return what switch
        {
            LogPage.Errors => new byte[64], // One entry, of no error: each command is told its own.
            LogPage.Health => Health(subsystem),
            LogPage.FirmwareSlots => FirmwareSlots(),
            LogPage.ChangedNamespaces => ChangedNamespaces(clears),
            LogPage.Effects => CommandEffects.Describe(),
            LogPage.AsymmetricAccess => AsymmetricAccess(
                groupsOnly: ((entry.Dword10 >> 8) & 1) != 0, clears),
            LogPage.Reservations => controller.Notices.Read(clears && lengthBytes >= ReservationNotices.PageBytes),
            _ => null,
        };
    }

    // SMART / Health Information (5.16.1.3): what a volume has of it. Data are counted in thousands of 512 bytes, rounded up.
    static byte[] Health(NvmeSubsystem subsystem)
    {
        const byte isReadOnly = 1 << 3;
        const int sparePercent = 100, spareThreshold = 10;
        var log = new byte[512];
        var done = subsystem.Session.Volume.Device.GetStatistics();
        log[0] = subsystem.Session.IsReadOnly ? isReadOnly : (byte)0;
        BinaryPrimitives.WriteUInt16LittleEndian(log.AsSpan(1), 293); // Kelvin: a temperature that worries nobody, for there is none.
        log[3] = sparePercent;
        log[4] = spareThreshold;
        WriteCount(log, 32, Units(done.BytesRead));
        WriteCount(log, 48, Units(done.BytesWritten));
        WriteCount(log, 64, done.Reads);
        WriteCount(log, 80, done.Writes);
        WriteCount(log, 160, done.Failures);
        return log;
    }

    static long Units(long bytes) => (bytes + 511_999) / 512_000;

    static void WriteCount(Span<byte> log, int offset, long count) => BinaryPrimitives.WriteInt64LittleEndian(log[offset..], count);

    // Slot 1 is active, and has the revision of the program.
    static byte[] FirmwareSlots()
    {
        var log = new byte[512];
        log[0] = 1;
        var revision = log.AsSpan(8, ControllerIdentity.FirmwareRevisionBytes);
        revision.Fill((byte)' ');
        Encoding.ASCII.GetBytes(ControllerIdentity.Revision, revision);
        return log;
    }

    byte[] ChangedNamespaces(bool clear)
    {
        var log = new byte[4096];
        if (controller.Events.Read(EventKind.NamespaceAttributes, clear))
            BinaryPrimitives.WriteUInt32LittleEndian(log, Identification.NamespaceId);
        return log;
    }

    // Asymmetric Namespace Access (5.16.1.13): 0  changes (8)   8  groups (2)   16  descriptors:
    //   0  group (4)   4  namespaces (4)   8  changes (8)   16  state   32  namespaces, 4 bytes each
    // The group is that of the only namespace, and has the state of the portal by which the host has come. Order: the event is read
    // before the state, so a change in between is told once more rather than never.
    byte[] AsymmetricAccess(bool groupsOnly, bool clear)
    {
        controller.Events.Read(EventKind.AsymmetricAccess, clear);
        var changes = node.Paths.ChangesOf(controller.Portal);
        const int headerBytes = 16, descriptorBytes = 32;
        var log = new byte[headerBytes + descriptorBytes + (groupsOnly ? 0 : sizeof(uint))];
        BinaryPrimitives.WriteInt64LittleEndian(log, changes);
        BinaryPrimitives.WriteUInt16LittleEndian(log.AsSpan(8), 1);
        var group = log.AsSpan(headerBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(group, AccessGroup);
        BinaryPrimitives.WriteInt32LittleEndian(group[4..], groupsOnly ? 0 : 1);
        BinaryPrimitives.WriteInt64LittleEndian(group[8..], changes);
        group[16] = (byte)StateOf(controller.Path);
        if (!groupsOnly) BinaryPrimitives.WriteUInt32LittleEndian(group[descriptorBytes..], Identification.NamespaceId);
        return log;
    }

    // NVMe knows no path that waits (8.1.4): it is inaccessible, too.
    static AccessState StateOf(PathState path) => path switch
    {
        PathState.Optimized => AccessState.Optimized,
        PathState.NonOptimized => AccessState.NonOptimized,
        _ => AccessState.Inaccessible,
    };

    /// <summary>States of a group (figure 230).</summary>
    enum AccessState : byte
    {
        Optimized = 1,
        NonOptimized = 2,
        Inaccessible = 3,
    }
}
