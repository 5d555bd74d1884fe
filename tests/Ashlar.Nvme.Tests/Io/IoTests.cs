using System.Buffers.Binary;
using Ashlar.Blocks;
using Ashlar.Scsi.Tests;
using Ashlar.Storage;

namespace Ashlar.Nvme.Tests;

/// <summary>Commands of I/O queues, over the wire.</summary>
public sealed class IoTests
{
    const uint ForceUnitAccess = 1u << 30, Deallocate = 1u << 25;

    [Theory]
    [InlineData(false, false, 512, 0)]
    [InlineData(true, false, 512, 0)]
    [InlineData(false, true, 512, 3)]
    [InlineData(true, true, 4096, 31)]
    public async Task What_is_written_is_read_whatever_the_digests_and_the_alignment(bool header, bool data, int blockBytes, byte alignment)
    {
        var digests = new Digests(header, data);
        await using var target = new TestTarget(new ScriptedDevice(32768, blockBytes));
        using var admin = target.Associate(digests, alignment: alignment);
        using var queue = target.Join(admin, digests: digests, alignment: alignment);
        foreach (var length in new[] { blockBytes, 8192, 12288, 256 << 10, 1 << 20 })
        {
            var pattern = NvmeHost.Pattern(length, length);
            queue.Write(16, pattern, blockBytes, inCapsule: length <= 8192).MustSucceed();
            Assert.Equal(pattern, queue.Read(16, length / blockBytes, blockBytes).MustSucceed().Data);
        }
        Assert.Equal(4096, admin.Identify(1).MustSucceed().Data.Length);
    }

    [Fact]
    public async Task Data_may_come_in_several_PDUs()
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        using var queue = target.Join(admin);
        var pattern = NvmeHost.Pattern(64 << 10);
        var id = queue.Submit(queue.Io(NvmOpcode.Write, 0, 128), pattern);
        var request = queue.ReceiveRequest();
        Assert.Equal((0u, 65536u), (request.DataOffset, request.DataBytes));
        queue.AnswerRequest(request, 8192);
        queue.Finish(id).MustSucceed();
        Assert.Equal(pattern, queue.Read(0, 128).MustSucceed().Data);
    }

    [Fact]
    public async Task Success_comes_with_the_data_only_without_flow_control()
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        using var queue = target.Join(admin, 1);
        queue.Read(0, 1).MustSucceed();
        Assert.Equal(PduFlags.LastPdu | PduFlags.Success, queue.LastData!.Header.Flags);

        using var controlled = target.Join(admin, 2, flowControl: true, size: 8);
        for (var i = 2; i < 12; i++)
        {
            Assert.Equal(i % 8, controlled.Read(0, 1).MustSucceed().QueueHead);
            Assert.Equal(PduFlags.LastPdu, controlled.LastData!.Header.Flags);
        }
    }

    [Fact]
    public async Task Many_commands_are_under_way_at_once()
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        using var queue = target.Join(admin);
        var blocked = new TaskCompletionSource();
        target.Device.BeforeWrite = _ => new(blocked.Task);
        var ids = Enumerable.Range(0, 127)
            .Select(i => queue.Submit(queue.Io(NvmOpcode.Write, (ulong)i * 8, 8), NvmeHost.Pattern(4096, i), inCapsule: true))
            .ToHashSet();
        await TestKit.Waiting.UntilAsync(() => target.Device.Calls == 127, "all writes");
        blocked.SetResult();
        while (ids.Count > 0)
        {
            var response = queue.ReceiveResponse();
            Assert.Equal(NvmeStatus.Success, response.Status);
            Assert.True(ids.Remove(response.CommandId));
        }
        Assert.Equal(NvmeHost.Pattern(4096, 126), queue.Read(126 * 8, 8).MustSucceed().Data);
    }

    [Fact]
    public async Task A_read_that_the_device_makes_wait_is_answered_whole()
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        using var queue = target.Join(admin);
        var pattern = NvmeHost.Pattern(1 << 20);
        queue.Write(0, pattern).MustSucceed();
        target.Device.BeforeRead = async _ => await Task.Delay(5);
        var slow = queue.Submit(queue.Io(NvmOpcode.Read, 0, 2048), readBytes: 1 << 20);
        Assert.Equal(pattern, queue.Finish(slow, 1 << 20).MustSucceed().Data);
    }

    [Fact]
    public async Task Flush_write_through_and_zeroes_reach_the_device_as_they_are_meant()
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        using var queue = target.Join(admin);
        queue.Write(0, NvmeHost.Pattern(4096), flags: ForceUnitAccess).MustSucceed();
        Assert.Equal(WriteOptions.ForceUnitAccess, target.Device.Writes[^1].Options);
        queue.Run(queue.Entry((byte)NvmOpcode.Flush, 1)).MustSucceed();
        queue.Run(queue.Entry((byte)NvmOpcode.Flush, 0xFFFF_FFFF)).MustSucceed();
        Assert.Equal(2, target.Device.Flushes);
        queue.Read(0, 8, flags: ForceUnitAccess).MustSucceed();
        Assert.Equal(3, target.Device.Flushes);

        queue.Run(queue.Io(NvmOpcode.WriteZeroes, 0, 4)).MustSucceed();
        queue.Run(queue.Io(NvmOpcode.WriteZeroes, 4, 2, Deallocate | ForceUnitAccess)).MustSucceed();
        Assert.Equal([ZeroOptions.KeepAllocated, ZeroOptions.ForceUnitAccess], target.Device.Cleared);
        var data = queue.Read(0, 8).MustSucceed().Data;
        Assert.False(data.AsSpan(0, 6 * 512).ContainsAnyExcept((byte)0));
        Assert.Equal(NvmeHost.Pattern(4096)[(6 * 512)..], data[(6 * 512)..]);
    }

    [Fact]
    public async Task Ranges_are_deallocated_all_or_none()
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        using var queue = target.Join(admin);
        queue.Write(0, NvmeHost.Pattern(8192)).MustSucceed();
        queue.Run(Dataset(queue, 2, attributes: 1), Ranges((0, 2), (4, 2))).MustSucceed(); // A hint: nothing changes.
        Assert.Empty(target.Device.Cleared);
        queue.Run(Dataset(queue, 2), Ranges((0, 2), (32768, 1))).MustFail(NvmeStatus.LbaOutOfRange);
        queue.Run(Dataset(queue, 2), Ranges((0, 2), (ulong.MaxValue, 2))).MustFail(NvmeStatus.LbaOutOfRange);
        Assert.Empty(target.Device.Cleared);
        queue.Run(Dataset(queue, 3), Ranges((0, 2), (4, 2), (32768, 0)), inCapsule: true).MustSucceed();
        Assert.Equal([null, null], target.Device.Cleared);
        Assert.False(queue.Read(0, 2).MustSucceed().Data.AsSpan().ContainsAnyExcept((byte)0));
        Assert.Equal(NvmeHost.Pattern(8192)[1024..2048], queue.Read(2, 2).MustSucceed().Data);
    }

    [Theory]
    [InlineData(4096, NvmeStatus.Success)]
    [InlineData(48, NvmeStatus.Success)]
    [InlineData(16, NvmeStatus.DataSglLengthInvalid)]
    [InlineData(4112, NvmeStatus.DataSglLengthInvalid)]
    public async Task A_list_of_ranges_may_have_more_behind_it_as_that_of_Linux_has(int bytes, object status)
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        using var queue = target.Join(admin);
        var list = new byte[bytes];
        Ranges((0, 1), (8, 1)).AsSpan(0, Math.Min(32, bytes)).CopyTo(list);
        list.AsSpan(Math.Min(32, bytes)).Fill(0xFF);
        queue.Run(Dataset(queue, 2), list, inCapsule: true).MustFail((NvmeStatus)status);
        Assert.Equal(bytes is 4096 or 48 ? 2 : 0, target.Device.Cleared.Count);
    }

    [Fact]
    public async Task Compare_tells_equal_from_different()
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        using var queue = target.Join(admin);
        var pattern = NvmeHost.Pattern(256 << 10);
        queue.Write(0, pattern).MustSucceed();
        queue.Run(queue.Io(NvmOpcode.Compare, 0, 512), pattern).MustSucceed();
        pattern[^1]++;
        queue.Run(queue.Io(NvmOpcode.Compare, 0, 512), pattern).MustFail(NvmeStatus.CompareFailure);
    }

    [Theory]
    [InlineData(NvmOpcode.Read, 32768u, 1, NvmeStatus.LbaOutOfRange)]
    [InlineData(NvmOpcode.Read, 32767u, 2, NvmeStatus.LbaOutOfRange)]
    [InlineData(NvmOpcode.Write, 32767u, 2, NvmeStatus.LbaOutOfRange)]
    [InlineData(NvmOpcode.WriteZeroes, 32767u, 2, NvmeStatus.LbaOutOfRange)]
    [InlineData(NvmOpcode.Compare, 32767u, 2, NvmeStatus.LbaOutOfRange)]
    [InlineData(NvmOpcode.Read, 0u, 4096, NvmeStatus.InvalidField)]
    public async Task What_reaches_too_far_is_refused(object opcode, uint lba, int blocks, object status)
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        using var queue = target.Join(admin);
        var entry = queue.Io((NvmOpcode)opcode, lba, blocks);
        var takes = entry.TakesData ? new byte[blocks * 512] : null;
        queue.Run(entry, takes).MustFail((NvmeStatus)status);
        queue.Run(queue.Io((NvmOpcode)opcode, ulong.MaxValue, 1), takes?[..512]).MustFail(NvmeStatus.LbaOutOfRange);
        Assert.Equal(0, target.Device.Calls);
    }

    public static TheoryData<string, string> Failures => new()
    {
        { nameof(DeviceFullException), nameof(NvmeStatus.CapacityExceeded) },
        { nameof(DeviceReadOnlyException), nameof(NvmeStatus.NamespaceWriteProtected) },
        { nameof(BadBlockException), nameof(NvmeStatus.WriteFault) },
        { nameof(DeviceIOException), nameof(NvmeStatus.WriteFault) },
    };

    [Theory, MemberData(nameof(Failures))]
    public async Task Failures_of_the_device_have_names_of_their_own(string failure, string status)
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        using var queue = target.Join(admin);
        target.Device.BeforeWrite = lba => throw (failure switch
        {
            nameof(DeviceFullException) => new DeviceFullException("d", "the pool"),
            nameof(DeviceReadOnlyException) => new DeviceReadOnlyException("d"),
            nameof(BadBlockException) => new BadBlockException("d", lba),
            _ => (Exception)new DeviceIOException("d", "broken", isTransient: false),
        });
        queue.Write(0, NvmeHost.Pattern(512), inCapsule: true).MustFail(Enum.Parse<NvmeStatus>(status));
        target.Device.BeforeRead = lba => throw new BadBlockException("d", lba);
        queue.Read(0, 1).MustFail(NvmeStatus.UnrecoveredReadError);
        Assert.True(target.Reports.Count <= 1);
    }

    [Fact]
    public async Task Who_has_reserved_the_volume_by_another_protocol_has_it_alone()
    {
        await using var target = new TestTarget();
        using var other = target.Front.Attach(new(ClientProtocol.Iscsi, "iqn.other", "a"));
        using var admin = target.Associate();
        using var queue = target.Join(admin);
        Assert.True(target.Front.Access.TryReserve(other));
        queue.Read(0, 1).MustFail(NvmeStatus.ReservationConflict);
        queue.Write(0, NvmeHost.Pattern(512)).MustFail(NvmeStatus.ReservationConflict);
        target.Front.Access.Release(other);
        target.Front.Access.IsWriteProtected = true;
        queue.Write(0, NvmeHost.Pattern(512)).MustFail(NvmeStatus.NamespaceWriteProtected);
    }

    [Fact]
    public async Task A_path_that_reaches_nothing_says_so()
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        using var queue = target.Join(admin);
        target.Paths.Set(1, PathState.Standby);
        Assert.Equal(NvmeStatus.AnaInaccessible, queue.Read(0, 1).Status);
        Assert.Equal(3, admin.Log(LogPage.AsymmetricAccess, 52).MustSucceed().Data[32]);
        target.Paths.Set(1, PathState.NonOptimized);
        queue.Read(0, 1).MustSucceed();
    }

    [Fact]
    public async Task Writes_wait_for_memory_and_get_it_in_turn()
    {
        await using var target = new TestTarget(buffers: new(16 << 20));
        using var admin = target.Associate();
        using var queue = target.Join(admin);
        var pattern = NvmeHost.Pattern(1 << 20);
        var ids = Enumerable.Range(0, 20).Select(i => queue.Submit(queue.Io(NvmOpcode.Write, (ulong)i * 1024, 2048), pattern)).ToHashSet();
        while (ids.Count > 0)
        {
            var pdu = queue.Receive();
            Assert.InRange(target.Buffers.RentedBytes, 0, 16 << 20);
            if (pdu.Header.Type == PduType.ReadyToTransfer) queue.AnswerRequest(ReadyToTransferPdu.Read(pdu.Bytes));
            else Assert.True(ids.Remove(ResponseCapsule.Read(pdu.Bytes).CommandId));
        }
    }

    [Fact]
    public async Task A_write_is_aborted_as_long_as_its_data_have_not_come()
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        using var queue = target.Join(admin, 3);
        var id = queue.Submit(queue.Io(NvmOpcode.Write, 0, 8), NvmeHost.Pattern(4096));
        var request = queue.ReceiveRequest();
        Assert.Equal(0ul, admin.Admin(AdminOpcode.Abort, 3 | ((uint)id << 16)).MustSucceed().Result);
        Assert.Equal(1ul, admin.Admin(AdminOpcode.Abort, 3 | (0x7777u << 16)).MustSucceed().Result);
        Assert.Equal(1ul, admin.Admin(AdminOpcode.Abort, 9).MustSucceed().Result);
        queue.AnswerRequest(request);
        queue.Finish(id).MustFail(NvmeStatus.AbortRequested);
        Assert.Empty(target.Device.Writes);
    }

    static SubmissionEntry Dataset(NvmeHost queue, int ranges, uint attributes = 4) =>
        queue.Entry((byte)NvmOpcode.DatasetManagement, 1, (uint)ranges - 1, attributes);

    static byte[] Ranges(params (ulong Start, uint Blocks)[] ranges)
    {
        var list = new byte[ranges.Length * 16];
        for (var i = 0; i < ranges.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(list.AsSpan((i * 16) + 4), ranges[i].Blocks);
            BinaryPrimitives.WriteUInt64LittleEndian(list.AsSpan((i * 16) + 8), ranges[i].Start);
        }
        return list;
    }
}
