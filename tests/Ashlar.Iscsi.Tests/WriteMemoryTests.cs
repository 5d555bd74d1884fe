using Ashlar.Scsi;
using Ashlar.Simulation;
using Ashlar.Transport;

namespace Ashlar.Iscsi.Tests;

/// <summary>Data of writes is asked for as there is memory for it; who does not send it gives the memory up.</summary>
public sealed class WriteMemoryTests
{
    const int MiB = 1 << 20, WriteBytes = 4 * MiB, BlockCount = WriteBytes / 512;
    const string AskedForOnly =
        "InitialR2T=Yes\0ImmediateData=No\0MaxRecvDataSegmentLength=262144\0MaxBurstLength=1048576\0MaxOutstandingR2T=8\0";

    static readonly TimeSpan Short = TimeSpan.FromMilliseconds(300);
    static readonly byte[] Segment = new byte[256 << 10];

    [Fact]
    public async Task Writes_hold_no_more_than_their_share_and_each_gets_its_turn()
    {
        await using var target = new TestTarget(buffers: new BufferPool(32 * MiB));
        using var first = target.LogIn("iqn.2026-11.test:one", keys: AskedForOnly);
        using var second = target.LogIn("iqn.2026-11.test:two", keys: AskedForOnly);
        const int Writes = 20;
        foreach (var initiator in new[] { first, second })
            for (var i = 0; i < Writes; i++) initiator.SendCommand(Initiator.Cdb(0x2A, 0, BlockCount), WriteBytes, writes: true);

        // The second's are asked for although the first holds all that one may.
        var held = 0L;
        Assert.Equal(Writes, await Both(first, second));
        Assert.InRange(held, 1, target.Buffers.BudgetBytes + (2 * BufferShare.AlwaysGrantedBytes));
        Assert.Equal(2 * Writes, target.Device.Writes.Count);

        async Task<int> Both(Initiator one, Initiator other)
        {
            var works = new[] { one, other }.Select(initiator => Task.Factory.StartNew(
                () => Bring(initiator, Writes, () => held = Math.Max(held, target.Buffers.RentedBytes)), TaskCreationOptions.LongRunning));
            var results = await Task.WhenAll(works);
            return results.Distinct().Single();
        }
    }

    [Fact]
    public async Task A_write_waits_for_memory_without_holding_any_until_another_session_gives_it_up()
    {
        await using var target = new TestTarget(buffers: new BufferPool(16 * MiB));
        using var greedy = target.LogIn("iqn.2026-11.test:greedy", keys: AskedForOnly);
        using var late = target.LogIn("iqn.2026-11.test:late", keys: AskedForOnly);
        for (var i = 0; i < 8; i++) greedy.SendCommand(Initiator.Cdb(0x2A, 0, BlockCount), WriteBytes, writes: true);
        for (var i = 0; i < 2; i++) late.SendCommand(Initiator.Cdb(0x2A, 0, BlockCount), WriteBytes, writes: true);
        greedy.MustAnswerPing();
        var held = target.Buffers.RentedBytes;
        Assert.InRange(held, WriteBytes, target.Buffers.BudgetBytes);

        greedy.Dispose();
        Assert.Equal(2, Bring(late, 2, () => { }));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Data_that_was_asked_for_and_does_not_come_ends_the_session_and_nobody_elses(bool pings)
    {
        await using var target = new TestTarget(configure: options => options with { TransferTimeout = Short });
        using var initiator = target.LogIn(keys: AskedForOnly);
        var tag = initiator.SendCommand(Initiator.Cdb(0x2A, 0, BlockCount), WriteBytes, writes: true);
        var request = ReadyToTransferPdu.Read(initiator.Receive(Opcode.ReadyToTransfer).Header);
        initiator.SendDataOut(tag, request.TargetTransferTag, 0, 0, Segment, final: false);
        if (pings) PingUntilCutOff(initiator);
        Assert.True(initiator.IsClosed());
        target.MustServe();
        Assert.Contains(target.Reports, line => line.Contains("bytes of a write have been due", StringComparison.Ordinal));
        Assert.True(SpinWait.SpinUntil(() => target.Buffers.RentedBytes == 0, TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task Unsolicited_data_that_was_announced_and_does_not_come_ends_the_session()
    {
        await using var target = new TestTarget(configure: options => options with { TransferTimeout = Short });
        using var initiator = target.LogIn();
        initiator.SendCommand(Initiator.Cdb(0x2A, 0, 256), 256 * 512, writes: true, immediate: new byte[4096], final: false);
        Assert.True(initiator.IsClosed());
        Assert.Contains(target.Reports, line => line.Contains("bytes of a write have been due", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_write_that_brings_data_nobody_has_room_for_is_to_be_tried_again_and_a_small_one_gets_on()
    {
        await using var target = new TestTarget(buffers: new BufferPool(16 * MiB));
        using var initiator = target.LogIn(
            keys: "InitialR2T=Yes\0ImmediateData=Yes\0MaxRecvDataSegmentLength=262144\0MaxBurstLength=1048576\0"
                + "FirstBurstLength=262144\0MaxOutstandingR2T=1\0");
        var others = Enumerable.Range(0, 20).Select(_ => target.Buffers.OpenShare()).ToList();
        var held = others.SelectMany(TakeAll).ToList();
        initiator.SendCommand(Initiator.Cdb(0x2A, 0, 2048), MiB, writes: true, immediate: Segment);
        Assert.Equal((byte)ScsiStatus.TaskSetFull, initiator.Receive(Opcode.ScsiResponse).Header[3]);
        initiator.Write(0, new byte[32 << 10]);
        Assert.Equal(64 << 10, initiator.Read(0, 128).Length);

        foreach (var buffer in held) buffer.Dispose();
        foreach (var share in others) share.Dispose();
        initiator.Write(0, Segment);
    }

    [Fact]
    public async Task A_long_read_is_answered_in_pieces_when_there_is_no_memory_for_it()
    {
        await using var target = new TestTarget(buffers: new BufferPool(16 * MiB));
        using var initiator = target.LogIn();
        var data = new byte[MiB];
        new SeededRandom(1).Fill(data);
        for (var i = 0; i < 4; i++) initiator.Write((uint)(i * 512), data[(i * Segment.Length)..((i + 1) * Segment.Length)]);
        var others = Enumerable.Range(0, 20).Select(_ => target.Buffers.OpenShare()).ToList();
        var held = others.SelectMany(TakeAll).ToList();
        Assert.Equal(data, initiator.Read(0, 2048));
        foreach (var buffer in held) buffer.Dispose();
        foreach (var share in others) share.Dispose();
    }

    static List<PooledBuffer> TakeAll(BufferShare share)
    {
        var held = new List<PooledBuffer>();
        foreach (var size in new[] { MiB, 64 << 10, 4 << 10 })
            while (share.TryRent(size) is { } buffer) held.Add(buffer);
        return held;
    }

    static void PingUntilCutOff(Initiator initiator)
    {
        try
        {
            while (true)
            {
                initiator.Ping();
                initiator.Receive();
            }
        }
        catch (Exception e) when (e is EndOfStreamException or System.Net.Sockets.SocketException)
        {
            // Cut off.
        }
    }

    /// <summary>Brings all that is asked for until so many writes are done.</summary>
    static int Bring(Initiator initiator, int writes, Action observe)
    {
        var done = 0;
        while (done < writes)
        {
            var pdu = initiator.Receive();
            observe();
            if (pdu.Opcode == Opcode.ScsiResponse)
            {
                Initiator.MustBeGood(pdu);
                done++;
                continue;
            }
            Assert.Equal(Opcode.ReadyToTransfer, pdu.Opcode);
            var request = ReadyToTransferPdu.Read(pdu.Header);
            for (var at = 0u; at < request.DesiredLength; at += (uint)Segment.Length)
            {
                initiator.SendDataOut(
                    request.InitiatorTaskTag, request.TargetTransferTag, at / (uint)Segment.Length, request.BufferOffset + at, Segment,
                    final: at + Segment.Length == request.DesiredLength);
            }
        }
        return done;
    }
}
