using System.Runtime.InteropServices;

namespace Ashlar.Interop.Tests.Clients;

/// <summary>libiscsi, the initiator of QEMU: one session, one LUN. A lost connection is an error, never re-dialled.</summary>
sealed unsafe partial class IscsiClient : IBlockClient
{
    public const string Library = "libiscsi.so.7";
    const int NormalSession = 2;
    const int NoHeaderDigest = 0;
    const int GoodStatus = 0, CheckConditionStatus = 2;
    const int UnitAttentionKey = 6, MiscompareKey = 0x0E;
    const int MostAttempts = 4;
    const int AnswerSeconds = 30;

    readonly int lun;
    readonly int blockSizeBytes;
    nint context;

    public IscsiClient(string portal, string target, int lun, string initiator)
    {
        this.lun = lun;
        context = iscsi_create_context(initiator);
        if (context == 0) throw new ClientException("iscsi_create_context", "no context");
        try
        {
            Check(iscsi_set_targetname(context, target), "iscsi_set_targetname");
            Check(iscsi_set_session_type(context, NormalSession), "iscsi_set_session_type");
            Check(iscsi_set_header_digest(context, NoHeaderDigest), "iscsi_set_header_digest");
            iscsi_set_noautoreconnect(context, 1);
            _ = iscsi_set_timeout(context, AnswerSeconds);
            Check(iscsi_full_connect_sync(context, portal, lun), $"iscsi_full_connect {portal} {target}");
            var capacity = Finish(
                () => iscsi_readcapacity16_sync(context, lun), "READ CAPACITY(16)", task => *(ReadCapacity16*)scsi_datain_unmarshall(task));
            blockSizeBytes = (int)capacity.BlockLength;
            SizeBytes = checked((long)(capacity.LastLba + 1) * blockSizeBytes);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public long SizeBytes { get; }

    public void Read(long offsetBytes, Span<byte> destination)
    {
        fixed (byte* pointer = destination)
        {
            var vector = new IoVector { Base = pointer, Length = (nuint)destination.Length };
            var (lba, lengthBytes, vectors) = (Lba(offsetBytes), (uint)destination.Length, (nint)(&vector));
            var residual = Finish(
                () => iscsi_read16_iov_sync(context, lun, lba, lengthBytes, blockSizeBytes, 0, 0, 0, 0, 0, (IoVector*)vectors, 1),
                "READ(16)", task => ((ScsiTask*)task)->ResidualStatus);
            if (residual != 0) throw new ClientException("READ(16)", "shorter or longer than asked for");
        }
    }

    public void Write(long offsetBytes, ReadOnlySpan<byte> source, bool forceUnitAccess)
    {
        fixed (byte* pointer = source)
        {
            var (lba, data, lengthBytes) = (Lba(offsetBytes), (nint)pointer, (uint)source.Length);
            Finish(
                () => iscsi_write16_sync(
                    context, lun, lba, (byte*)data, lengthBytes, blockSizeBytes, 0, 0, forceUnitAccess ? 1 : 0, 0, 0),
                "WRITE(16)");
        }
    }

    /// <summary>COMPARE AND WRITE: writes if the blocks hold what is expected; false if they do not.</summary>
    public bool CompareAndWrite(long offsetBytes, ReadOnlySpan<byte> expected, ReadOnlySpan<byte> written)
    {
        Assert.Equal(expected.Length, written.Length);
        byte[] both = [.. expected, .. written];
        fixed (byte* pointer = both)
        {
            var (lba, data, lengthBytes) = (Lba(offsetBytes), (nint)pointer, (uint)both.Length);
            return Finish(
                () => iscsi_compareandwrite_sync(context, lun, lba, (byte*)data, lengthBytes, blockSizeBytes, 0, 0, 0, 0),
                "COMPARE AND WRITE", _ => true, task => SenseKeyOf(task) == MiscompareKey);
        }
    }

    public void Trim(long offsetBytes, long lengthBytes)
    {
        var range = new UnmapRange { Lba = Lba(offsetBytes), BlockCount = BlockCount(lengthBytes) };
        var ranges = (nint)(&range);
        Finish(() => iscsi_unmap_sync(context, lun, 0, 0, (UnmapRange*)ranges, 1), "UNMAP");
    }

    public void WriteZeroes(long offsetBytes, long lengthBytes)
    {
        var zeroes = stackalloc byte[blockSizeBytes];
        new Span<byte>(zeroes, blockSizeBytes).Clear();
        var block = (nint)zeroes;
        Finish(
            () => iscsi_writesame16_sync(
                context, lun, Lba(offsetBytes), (byte*)block, (uint)blockSizeBytes, BlockCount(lengthBytes), 0, 0, 0, 0),
            "WRITE SAME(16)");
    }

    public void Flush() => Finish(() => iscsi_synchronizecache16_sync(context, lun, 0, 0, 0, 0), "SYNCHRONIZE CACHE(16)");

    public void Dispose()
    {
        if (context != 0) _ = iscsi_destroy_context(context);
        context = 0;
    }

    ulong Lba(long offsetBytes)
    {
        Assert.Equal(0, offsetBytes % blockSizeBytes);
        return (ulong)(offsetBytes / blockSizeBytes);
    }

    uint BlockCount(long lengthBytes)
    {
        Assert.Equal(0, lengthBytes % blockSizeBytes);
        return (uint)(lengthBytes / blockSizeBytes);
    }

    void Finish(Func<nint> send, string operation) => Finish(send, operation, static _ => true);

    // What the target has to tell comes in the way of one command (SAM-5, unit attention), which is sent again, as systems do.
    T? Finish<T>(Func<nint> send, string operation, Func<nint, T> take, Func<nint, bool>? isNo = null)
    {
        for (var attempt = 1; ; attempt++)
        {
            var task = send();
            if (task == 0) throw Failure(operation);
            try
            {
                if (((ScsiTask*)task)->Status == GoodStatus) return take(task);
                if (isNo?.Invoke(task) is true) return default;
                if (SenseKeyOf(task) != UnitAttentionKey || attempt == MostAttempts)
                    throw new ClientException(operation, $"status 0x{((ScsiTask*)task)->Status:x}, {ErrorText()}");
            }
            finally
            {
                scsi_free_scsi_task(task);
            }
        }
    }

    static int SenseKeyOf(nint task) => ((ScsiTask*)task)->Status == CheckConditionStatus ? ((ScsiTask*)task)->SenseKey : 0;

    void Check(int result, string operation)
    {
        if (result != 0) throw Failure(operation);
    }

    ClientException Failure(string operation) => new(operation, ErrorText());

    string ErrorText() => Marshal.PtrToStringUTF8(iscsi_get_error(context)) ?? "no error text";

    // The head of libiscsi's struct scsi_task (scsi-lowlevel.h of 1.19), as far as it is used here.
    [StructLayout(LayoutKind.Sequential)]
    struct ScsiTask
    {
        public int Status;
        public int CdbSize;
        public int TransferDirection;
        public int ExpectedTransferLength;
        public fixed byte Cdb[16];
        public int ResidualStatus;
        public nuint Residual;
        public byte SenseErrorType;
        public int SenseKey;
    }

    [StructLayout(LayoutKind.Sequential)]
    struct ReadCapacity16
    {
        public ulong LastLba;
        public uint BlockLength;
    }

    [StructLayout(LayoutKind.Sequential)]
    struct IoVector
    {
        public byte* Base;
        public nuint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    struct UnmapRange
    {
        public ulong Lba;
        public uint BlockCount;
    }

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint iscsi_create_context(string initiator);

    [LibraryImport(Library)]
    private static partial int iscsi_destroy_context(nint context);

    [LibraryImport(Library)]
    private static partial nint iscsi_get_error(nint context);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int iscsi_set_targetname(nint context, string target);

    [LibraryImport(Library)]
    private static partial int iscsi_set_session_type(nint context, int type);

    [LibraryImport(Library)]
    private static partial int iscsi_set_header_digest(nint context, int digest);

    [LibraryImport(Library)]
    private static partial void iscsi_set_noautoreconnect(nint context, int state);

    [LibraryImport(Library)]
    private static partial int iscsi_set_timeout(nint context, int seconds);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int iscsi_full_connect_sync(nint context, string portal, int lun);

    [LibraryImport(Library)]
    private static partial nint iscsi_readcapacity16_sync(nint context, int lun);

    [LibraryImport(Library)]
    private static partial nint iscsi_read16_iov_sync(nint context, int lun, ulong lba, uint lengthBytes, int blockSizeBytes,
        int protect, int disablePageOut, int forceUnitAccess, int forceUnitAccessNonvolatile, int group, IoVector* vectors, int count);

    [LibraryImport(Library)]
    private static partial nint iscsi_write16_sync(nint context, int lun, ulong lba, byte* data, uint lengthBytes, int blockSizeBytes,
        int protect, int disablePageOut, int forceUnitAccess, int forceUnitAccessNonvolatile, int group);

    [LibraryImport(Library)]
    private static partial nint iscsi_writesame16_sync(nint context, int lun, ulong lba, byte* data, uint lengthBytes, uint blockCount,
        int anchor, int unmap, int protect, int group);

    [LibraryImport(Library)]
    private static partial nint iscsi_compareandwrite_sync(
        nint context, int lun, ulong lba, byte* data, uint lengthBytes, int blockSizeBytes,
        int protect, int disablePageOut, int forceUnitAccess, int group);

    [LibraryImport(Library)]
    private static partial nint iscsi_unmap_sync(nint context, int lun, int anchor, int group, UnmapRange* ranges, int count);

    [LibraryImport(Library)]
    private static partial nint iscsi_synchronizecache16_sync(
        nint context, int lun, ulong lba, uint blockCount, int syncNonvolatile, int immediate);

    [LibraryImport(Library)]
    private static partial nint scsi_datain_unmarshall(nint task);

    [LibraryImport(Library)]
    private static partial void scsi_free_scsi_task(nint task);
}
