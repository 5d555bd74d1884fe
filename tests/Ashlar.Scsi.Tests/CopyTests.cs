using System.Buffers.Binary;
using Ashlar.Blocks;
using Ashlar.Simulation;

namespace Ashlar.Scsi.Tests;

/// <summary>EXTENDED COPY and RECEIVE COPY RESULTS, between two units of one initiator.</summary>
public sealed class CopyTests
{
    const int BlockBytes = 512;

    static readonly Guid SecondId = new("5e0c8c7a-91d4-4f1e-a3b0-6d2f7c41e902");

    readonly SimulatedClock clock = new();
    readonly ScriptedDevice first = new(8192), second = new(8192);
    readonly LogicalUnit firstUnit, secondUnit;
    readonly ClientSession secondSession;
    readonly ScsiNexus nexus;

    public CopyTests()
    {
        firstUnit = new(TestUnit.Id, new VolumeFront(first, clock));
        secondUnit = new(SecondId, new VolumeFront(second, clock));
        var identity = new ClientIdentity(ClientProtocol.Iscsi, "iqn.2026-11.test:one,i,0x1", "192.0.2.2:4711") { Port = 1 };
        secondSession = secondUnit.Volume.Attach(identity);
        nexus = new("t", "t,t,0x0001", 1, [new(0, firstUnit, firstUnit.Volume.Attach(identity)), new(1, secondUnit, secondSession)]);
        Greet(nexus);
    }

    void Greet(ScsiNexus by)
    {
        foreach (var lun in new[] { 0, 1 }) Send([0], lunNumber: lun, by: by).GetAwaiter().GetResult().MustFail("6/29/00");
    }

    async Task<Answer> Send(byte[] cdb, byte[]? data = null, int lunNumber = 0, ScsiCommand? command = null, ScsiNexus? by = null)
    {
        command ??= new();
        (by ?? nexus).Begin(command, [0, (byte)lunNumber, 0, 0, 0, 0, 0, 0], [.. cdb, .. new byte[ScsiCommand.MaxCdbBytes - cdb.Length]]);
        if (command.IsRefused) return new(command.Refusal.Status, command.Refusal.Sense, []);
        var result = await command.ExecuteAsync(data ?? []).AsTask().WaitAsync(TimeSpan.FromSeconds(10));
        return new(result.Status, result.Sense, result.DataIn.ToArray());
    }

    Task<Answer> Copy(byte[] list, ScsiCommand? command = null) => Send(CopyCdb(list.Length), list, command: command);

    static byte[] CopyCdb(int length) => [0x83, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte)(length >> 8), (byte)length, 0, 0];

    Task<Answer> Receive(int serviceAction, int list = 1) =>
        Send([0x84, (byte)serviceAction, (byte)list, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0]);

    static byte[] Target(Guid id, int kind = 0xE4)
    {
        var target = new byte[32];
        (target[0], target[4], target[5], target[7]) = ((byte)kind, 1, 3, 8);
        var page = new TestUnit(new LogicalUnit(id, new VolumeFront(new ScriptedDevice()))).Send([0x12, 1, 0x83, 0, 16, 0]).MustBeGood();
        page.AsSpan(8, 8).CopyTo(target.AsSpan(8));
        BinaryPrimitives.WriteInt32BigEndian(target.AsSpan(28), BlockBytes);
        return target;
    }

    static byte[] Segment(int from, int to, int count, long source, long destination, int kind = 2)
    {
        var segment = new byte[28];
        (segment[0], segment[3]) = ((byte)kind, 24);
        BinaryPrimitives.WriteUInt16BigEndian(segment.AsSpan(4), (ushort)from);
        BinaryPrimitives.WriteUInt16BigEndian(segment.AsSpan(6), (ushort)to);
        BinaryPrimitives.WriteUInt16BigEndian(segment.AsSpan(10), (ushort)count);
        BinaryPrimitives.WriteInt64BigEndian(segment.AsSpan(12), source);
        BinaryPrimitives.WriteInt64BigEndian(segment.AsSpan(20), destination);
        return segment;
    }

    static byte[] List(byte[][] targets, byte[][] segments, int identifier = 1, int usage = 0)
    {
        var header = new byte[16];
        (header[0], header[1]) = ((byte)identifier, (byte)(usage << 3));
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), (ushort)targets.Sum(each => each.Length));
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(8), segments.Sum(each => each.Length));
        return [.. header, .. targets.SelectMany(each => each), .. segments.SelectMany(each => each)];
    }

    static byte[] Both(params byte[][] segments) => List([Target(TestUnit.Id), Target(SecondId)], segments);

    static async Task<byte[]> FillAsync(LogicalUnit unit, long lba, int count, ulong seed)
    {
        var data = new SeededRandom(seed).Bytes(count * BlockBytes);
        await unit.Volume.Device.WriteAsync(new Lba(lba), data);
        return data;
    }

    static async Task<byte[]> ReadAsync(LogicalUnit unit, long lba, int count)
    {
        var data = new byte[count * BlockBytes];
        await unit.Volume.Device.ReadAsync(new Lba(lba), data);
        return data;
    }

    [Fact]
    public async Task Blocks_are_copied_between_units_and_within_one_also_onto_themselves()
    {
        var data = await FillAsync(firstUnit, 10, 3000, seed: 1);
        (await Copy(Both(Segment(0, 1, 3000, 10, 5000), Segment(0, 0, 3000, 10, 20), Segment(0xFFFF, 0xFFFF, 3000, 20, 0)))).MustBeGood();
        Assert.Equal(data, await ReadAsync(secondUnit, 5000, 3000));
        Assert.Equal(data, await ReadAsync(firstUnit, 0, 3000));
        Assert.Equal(data[^(10 * BlockBytes)..], await ReadAsync(firstUnit, 3010, 10));
    }

    [Fact]
    public async Task What_reads_as_zeros_is_unmapped_and_not_written()
    {
        await FillAsync(secondUnit, 0, 2048, seed: 2);
        var data = await FillAsync(firstUnit, 256, 128, seed: 3);
        second.Writes.Clear();
        (await Copy(Both(Segment(0, 1, 2048, 0, 0)))).MustBeGood();
        Assert.All(await ReadAsync(secondUnit, 0, 256), static each => Assert.Equal(0, each));
        Assert.Equal(data, await ReadAsync(secondUnit, 256, 128));
        Assert.All(await ReadAsync(secondUnit, 384, 1664), static each => Assert.Equal(0, each));
        Assert.NotEmpty(second.Cleared);
        Assert.Single(second.Writes);
    }

    [Fact]
    public async Task Lists_that_lie_or_ask_for_too_much_change_nothing()
    {
        await FillAsync(firstUnit, 0, 8, seed: 4);
        var one = Segment(0, 1, 8, 0, 0);
        var good = Both(one);
        byte[] With(int at, params byte[] bytes)
        {
            var list = good.ToArray();
            bytes.CopyTo(list, at);
            return list;
        }

        foreach (var (list, code) in new (byte[], string)[]
        {
            (good[..15], "5/1A/00"),
            (good[..47], "5/1A/00"),
            (good[..^1], "5/1A/00"),
            (With(8, 0xFF, 0xFF, 0xFF, 0xFF), "5/1A/00"),
            (With(12, 0, 0, 0, 1), "5/26/0B"),
            (With(1, 1 << 3), "5/26/00"),
            (With(1, 3 << 3), "5/26/00"), // An identifier that is not used, and is there.
            (With(49, 0x20), "5/26/00"),
            (With(3, 63), "5/26/00"),
            (With(16, 0xE0), "5/26/07"),
            (With(23, 21), "5/26/00"),
            (With(45, 0, 16, 0), "5/26/00"),
            (With(80, 3), "5/26/09"),
            (With(83, 25), "5/26/00"),
            (List([.. Enumerable.Repeat(Target(TestUnit.Id), 9)], [one]), "5/26/06"),
            (List([Target(TestUnit.Id)], [.. Enumerable.Repeat(one, 9)]), "5/26/08"),
            (List([.. Enumerable.Repeat(Target(TestUnit.Id), 9)], [.. Enumerable.Repeat(one, 9)]), "5/1A/00"),
            (Both(one, Segment(0, 2, 8, 0, 0)), "A/08/04"),
            (Both(one, Segment(0, 1, 8, 8185, 0)), "A/00/00"),
            (Both(one, Segment(0, 1, 8, 0, 8185)), "A/00/00"),
            (Both(one, Segment(0, 1, 8, -1, 0)), "A/00/00"),
            (List([Target(TestUnit.Id), Target(new Guid(7, 7, 7, new byte[8]))], [one]), "A/0D/02"),
            (With(49, 1), "A/0D/03"),
        })
            (await Copy(list)).MustFail(code);
        Assert.Equal(0, second.Calls);
        (await Send(CopyCdb(0))).MustBeGood();
        (await Copy(List([], []))).MustBeGood();
        (await Copy(With(17, 0x80))).MustBeGood(); // LU ID TYPE means nothing here (SPC-4).
        (await Copy(good)).MustBeGood();
    }

    [Fact]
    public async Task Sense_data_points_at_the_segment_and_its_field()
    {
        var answer = await Copy(Both(Segment(0, 1, 8, 0, 0), Segment(0, 7, 8, 0, 0)));
        Assert.Equal((1U, 0xA0_0006U), (answer.Sense.CommandSpecific, answer.Sense.FieldPointer));
    }

    // The designator of a unit is no secret. Whoever knows it must not get at the unit by it.
    [Fact]
    public async Task Units_of_others_cannot_be_named_and_nobody_copies_what_he_may_not_read_or_write()
    {
        var data = await FillAsync(firstUnit, 0, 8, seed: 5);
        var list = Both(Segment(0, 1, 8, 0, 0));
        var others = new ScsiNexus(
            "o", "o,t,0x0001", 1, [new(0, firstUnit, firstUnit.Volume.Attach(new(ClientProtocol.Iscsi, "iqn.other", "192.0.2.3:1")))]);
        var command = new ScsiCommand();
        others.Begin(command, new byte[8], [.. new byte[16]]);
        others.Begin(command, new byte[8], CopyCdb(list.Length));
        Assert.Equal(AdditionalSense.CopyTargetDeviceNotReachable, (await command.ExecuteAsync(list)).Sense.Additional);

        using var holder = secondUnit.Volume.Attach(new(ClientProtocol.Iscsi, "iqn.holder", "192.0.2.4:1"));
        Assert.True(secondUnit.Volume.Access.TryReserve(holder));
        Assert.Equal(ScsiStatus.ReservationConflict, (await Copy(list)).Status);
        secondUnit.Volume.Access.Reset();
        secondUnit.Volume.Access.IsWriteProtected = true;
        (await Copy(list)).MustFail("7/27/02");
        secondUnit.Volume.Access.Reset();
        Assert.True(firstUnit.Volume.Access.TryReserve(firstUnit.Volume.Attach(new(ClientProtocol.Iscsi, "iqn.holder", "192.0.2.4:2"))));
        Assert.Equal(ScsiStatus.ReservationConflict, (await Copy(list)).Status);
        firstUnit.Volume.Access.Reset();
        Assert.Empty(second.Writes);

        (await Copy(list)).MustBeGood();
        Assert.Equal(data, await ReadAsync(secondUnit, 0, 8));
    }

    [Fact]
    public async Task A_copy_that_is_aborted_or_whose_initiator_leaves_ends_between_two_pieces()
    {
        await FillAsync(firstUnit, 0, 8192, seed: 6);
        var list = Both(Segment(0, 1, 8192, 0, 0));
        var command = new ScsiCommand();
        second.BeforeWrite = _ =>
        {
            command.Abort();
            return ValueTask.CompletedTask;
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Copy(list, command));
        Assert.Single(second.Writes);

        second.BeforeWrite = _ =>
        {
            nexus.Units.First().Volume.Sessions[0].GiveUpWaiting();
            return ValueTask.CompletedTask;
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Copy(list));
        Assert.Equal(2, second.Writes.Count);
    }

    [Fact]
    public async Task Results_are_told_while_a_copy_runs_and_once_when_it_has_ended()
    {
        (await Receive(0)).MustFail("5/24/00");
        await FillAsync(firstUnit, 0, 4096, seed: 7);
        var (reached, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        second.BeforeWrite = async lba =>
        {
            if (lba.Value < 2048) return;
            reached.TrySetResult();
            await goOn.Task;
        };
        var list = Both(Segment(0, 1, 2048, 0, 0), Segment(0, 1, 2048, 2048, 2048));
        var copying = Copy(list);
        await reached.Task;
        Assert.Equal("00000008" + "00" + "0001" + "01" + "00000400", Convert.ToHexString((await Receive(0)).MustBeGood()));
        (await Copy(list)).MustFail("5/00/16"); // The identifier is in use.
        goOn.SetResult();
        (await copying).MustBeGood();
        Assert.Equal("00000008" + "01" + "0002" + "01" + "00000800", Convert.ToHexString((await Receive(0)).MustBeGood()));
        (await Receive(0)).MustFail("5/24/00");

        (await Copy(List([], [Segment(9, 0, 1, 0, 0)]))).MustFail("A/08/04");
        Assert.Equal("00000008" + "02" + "0000" + "01" + "00000000", Convert.ToHexString((await Receive(0)).MustBeGood()));
        var details = (await Receive(4)).MustBeGood();
        Assert.Equal("0000004A", Convert.ToHexString(details, 0, 4));
        Assert.Equal("02000012" + "70000A", Convert.ToHexString(details, 56, 7));
        Assert.Equal("00000000", Convert.ToHexString((await Receive(4)).MustBeGood()));
        (await Copy(List([], [], usage: 2))).MustBeGood();
        (await Receive(0)).MustFail("5/24/00"); // Nothing was to be kept of it.
    }

    [Fact]
    public async Task Operating_parameters_are_the_limits_that_hold() => Assert.Equal(
        "0000002A" + "01000000" + "0008" + "0008" + "000001E0" + "02000000" + "00000000" + "00000000" + "00000000" + "0000" + "0004" + "04"
        + "09" + "0000" + "000000" + "02" + "02E4",
        Convert.ToHexString((await Receive(3)).MustBeGood()));

    [Fact]
    public async Task An_initiator_has_so_many_copies_at_a_time_and_a_unit_does_so_many_and_no_more()
    {
        await FillAsync(firstUnit, 0, 8, seed: 8);
        var goOn = new TaskCompletionSource();
        second.BeforeWrite = async _ => await goOn.Task;
        var list = List([Target(TestUnit.Id), Target(SecondId)], [Segment(0, 1, 8, 0, 0)], identifier: 0, usage: 3);
        var initiators = Enumerable.Range(0, 5).Select(i => Connect($"iqn.2026-11.test:{i},i,0x1")).ToArray();
        Task<Answer> CopyBy(int i) => Send(CopyCdb(list.Length), list, by: initiators[i]);
        List<Task<Answer>> running = [];
        for (var i = 0; i < 4; i++)
        {
            running.AddRange(Enumerable.Range(0, 4).Select(_ => CopyBy(i)));
            Assert.Equal(ScsiStatus.Busy, (await CopyBy(i)).Status);
        }

        Assert.Equal(ScsiStatus.Busy, (await CopyBy(4)).Status);
        goOn.SetResult();
        foreach (var each in running) (await each).MustBeGood();
        (await CopyBy(0)).MustBeGood();
        (await CopyBy(4)).MustBeGood();
    }

    [Fact]
    public async Task The_units_of_a_node_do_so_many_copies_and_no_more()
    {
        var copies = new CopyCount(1);
        await FillAsync(firstUnit, 0, 8, seed: 9);
        var goOn = new TaskCompletionSource();
        second.BeforeWrite = async _ => await goOn.Task;
        var one = new LogicalUnit(TestUnit.Id, firstUnit.Volume, copies);
        var other = new LogicalUnit(SecondId, secondUnit.Volume, copies);
        var initiator = Connect("iqn.2026-11.test:node,i,0x1", one, other);
        var list = List([Target(SecondId)], [Segment(0xFFFF, 0, 8, 0, 0)], identifier: 0, usage: 3);
        var running = Send(CopyCdb(list.Length), list, by: initiator);
        Assert.Equal(ScsiStatus.Busy, (await Send(CopyCdb(list.Length), list, lunNumber: 1, by: initiator)).Status);
        goOn.SetResult();
        (await running).MustBeGood();
        (await Send(CopyCdb(list.Length), list, lunNumber: 1, by: initiator)).MustBeGood();
    }

    [Fact]
    public async Task A_copy_that_limits_hold_up_ends_after_its_time_and_says_which_segment_was_not_done()
    {
        await FillAsync(firstUnit, 0, 4096, seed: 10);
        secondUnit.Volume.Limits = new(BytesPerSecond: 1);
        var copying = Copy(Both(Segment(0, 1, 1024, 0, 0), Segment(0, 1, 1024, 1024, 1024)));
        Assert.True(SpinWait.SpinUntil(() => secondUnit.Volume.WaitingCount == 1, TimeSpan.FromSeconds(10)));
        clock.Advance(TimeSpan.FromSeconds(19));
        Assert.False(copying.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(1));
        var answer = await copying;
        answer.MustFail("A/2E/02");
        Assert.Equal(1U, answer.Sense.CommandSpecific);
        Assert.Equal("00000008" + "02" + "0001" + "01" + "00000200", Convert.ToHexString((await Receive(0)).MustBeGood()));
        Assert.Equal(0, secondUnit.Volume.WaitingCount);
    }

    ScsiNexus Connect(string name, LogicalUnit? one = null, LogicalUnit? other = null)
    {
        var identity = new ClientIdentity(ClientProtocol.Iscsi, name, "192.0.2.5:1") { Port = 1 };
        (one, other) = (one ?? firstUnit, other ?? secondUnit);
        ScsiLun[] luns = [new(0, one, one.Volume.Attach(identity)), new(1, other, other.Volume.Attach(identity))];
        var connected = new ScsiNexus("t", "t,t,0x0001", 1, luns);
        Greet(connected);
        return connected;
    }
}
