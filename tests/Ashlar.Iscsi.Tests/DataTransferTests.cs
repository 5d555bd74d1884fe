using Ashlar.Scsi;
using Ashlar.Scsi.Tests;
using Ashlar.Simulation;
using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi.Tests;

public sealed class DataTransferTests : IAsyncLifetime
{
    readonly TestTarget target = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => target.DisposeAsync().AsTask();

    static byte[] Pattern(int bytes, int seed = 1)
    {
        var data = new byte[bytes];
        new SeededRandom((ulong)seed).Fill(data);
        return data;
    }

    [Fact]
    public void Immediate_data_is_written()
    {
        using var initiator = target.LogIn();
        var data = Pattern(16384);
        initiator.Write(8, data);
        Assert.Equal(data, initiator.Read(8, 32));
    }

    [Fact]
    public void Unsolicited_data_follows_the_command()
    {
        using var initiator = target.LogIn();
        var data = Pattern(65536);
        var tag = initiator.SendCommand(Initiator.Cdb(0x2A, 0, 128), 65536, writes: true, immediate: data[..4096], final: false);
        initiator.SendDataOut(tag, Bhs.NoTag, 0, 4096, data[4096..30000], final: false);
        initiator.SendDataOut(tag, Bhs.NoTag, 1, 30000, data[30000..], final: true);
        Initiator.MustBeGood(initiator.ReceiveResult());
        Assert.Equal(data, initiator.Read(0, 128));
    }

    [Fact]
    public void Further_data_is_asked_for_in_bursts_as_many_at_a_time_as_settled()
    {
        using var initiator = target.LogIn(
            keys: "InitialR2T=Yes\0ImmediateData=No\0MaxBurstLength=65536\0MaxOutstandingR2T=2\0MaxRecvDataSegmentLength=262144\0");
        var data = Pattern(200_704); // 3 bursts and a bit.
        var tag = initiator.SendCommand(Initiator.Cdb(0x2A, 0, 392), (uint)data.Length, writes: true);
        var asked = new Queue<ReadyToTransferPdu>();
        asked.Enqueue(ReadyToTransferPdu.Read(initiator.Receive(Opcode.ReadyToTransfer).Header));
        asked.Enqueue(ReadyToTransferPdu.Read(initiator.Receive(Opcode.ReadyToTransfer).Header));
        uint number = 0, offset = 0;
        while (asked.TryDequeue(out var r2t))
        {
            Assert.Equal((tag, number, offset), (r2t.InitiatorTaskTag, r2t.R2TSN, r2t.BufferOffset));
            Assert.Equal(Math.Min(65536, (uint)data.Length - offset), r2t.DesiredLength);
            var half = r2t.DesiredLength / 2;
            initiator.SendDataOut(tag, r2t.TargetTransferTag, 0, offset, data[(int)offset..(int)(offset + half)], final: false);
            initiator.SendDataOut(
                tag, r2t.TargetTransferTag, 1, offset + half, data[(int)(offset + half)..(int)(offset + r2t.DesiredLength)], final: true);
            offset += r2t.DesiredLength;
            number++;
            if (number + asked.Count < 4) asked.Enqueue(ReadyToTransferPdu.Read(initiator.Receive(Opcode.ReadyToTransfer).Header));
        }
        var result = initiator.ReceiveResult();
        Initiator.MustBeGood(result);
        Assert.Equal(4u, ScsiResponsePdu.Read(result.Header).ExpDataSN);
        Assert.Equal(data, initiator.Read(0, 392));
    }

    [Fact]
    public void Immediate_unsolicited_and_solicited_data_make_one_write()
    {
        using var initiator = target.LogIn(
            keys: "InitialR2T=No\0ImmediateData=Yes\0FirstBurstLength=8192\0MaxBurstLength=65536\0MaxRecvDataSegmentLength=262144\0");
        var data = Pattern(32768);
        var tag = initiator.SendCommand(Initiator.Cdb(0x2A, 4, 64), 32768, writes: true, immediate: data[..1000], final: false);
        initiator.SendDataOut(tag, Bhs.NoTag, 0, 1000, data[1000..8192], final: true);
        var r2t = ReadyToTransferPdu.Read(initiator.Receive(Opcode.ReadyToTransfer).Header);
        Assert.Equal((8192u, 24576u), (r2t.BufferOffset, r2t.DesiredLength));
        initiator.SendDataOut(tag, r2t.TargetTransferTag, 0, 8192, data[8192..], final: true);
        Initiator.MustBeGood(initiator.ReceiveResult());
        Assert.Equal(data, initiator.Read(4, 64));
    }

    [Theory]
    [InlineData(262144, 1048576)]
    [InlineData(8192, 262144)]
    [InlineData(8192, 12288)]
    [InlineData(700, 1048576)] // A PDU ends within a block.
    [InlineData(512, 512)]
    public async Task Reads_come_in_PDUs_that_fit_the_initiator(int maxSegment, int maxBurst)
    {
        using var initiator = target.LogIn(keys: $"MaxRecvDataSegmentLength={maxSegment}\0MaxBurstLength={maxBurst}\0InitialR2T=No\0");
        var data = Pattern(65536);
        await target.Device.WriteAsync(new(0), data);
        initiator.SendCommand(Initiator.Cdb(0x28, 0, 128), 65536, reads: true);
        var received = 0;
        var inBurst = 0;
        for (uint number = 0; ; number++)
        {
            var pdu = initiator.Receive(Opcode.DataIn);
            var header = DataInPdu.Read(pdu.Header);
            Assert.Equal((number, (uint)received), (header.DataSN, header.BufferOffset));
            Assert.InRange(pdu.Data.Length, 1, maxSegment);
            Assert.Equal(data[received..(received + pdu.Data.Length)], pdu.Data);
            received += pdu.Data.Length;
            inBurst += pdu.Data.Length;
            Assert.InRange(inBurst, 1, maxBurst);
            if (header.Final) inBurst = 0;
            if (!header.HasStatus) continue;
            Assert.True(header.Final);
            break;
        }
        Assert.Equal(data.Length, received);
    }

    [Fact]
    public void Many_reads_at_once_are_answered_in_order()
    {
        using var initiator = target.LogIn();
        var data = Pattern(128 * 512);
        initiator.Write(0, data);
        var tags = Enumerable.Range(0, 100).Select(i => initiator.SendCommand(Initiator.Cdb(0x28, (uint)i, 1), 512, reads: true)).ToArray();
        for (var i = 0; i < tags.Length; i++)
        {
            var pdu = initiator.Receive(Opcode.DataIn);
            Assert.Equal(tags[i], DataInPdu.Read(pdu.Header).InitiatorTaskTag);
            Assert.Equal(data[(i * 512)..((i + 1) * 512)], pdu.Data);
        }
    }

    [Theory]
    [InlineData(1, 0u, 512)]      // Nothing expected.
    [InlineData(1, 200u, 312)]    // A part of a block.
    [InlineData(2, 512u, 512)]
    [InlineData(1, 10000u, -9488)]
    public void Residuals_of_reads_say_what_was_not_moved(int blocks, uint expected, int residual)
    {
        using var initiator = target.LogIn();
        var data = Pattern(1024);
        initiator.Write(0, data);
        initiator.SendCommand(Initiator.Cdb(0x28, 0, blocks), expected, reads: true);
        var result = initiator.ReceiveResult();
        Initiator.MustBeGood(result);
        Assert.Equal(residual, Residual.Read(result.Header).Bytes);
        if (expected > 0) Assert.Equal(data[..(int)Math.Min(expected, blocks * 512)], result.Data);
    }

    [Theory]
    [InlineData(2, 0u, 1024)]
    [InlineData(2, 512u, 512)]
    [InlineData(1, 2048u, -1536)]
    public void Residuals_of_writes_say_what_was_not_moved(int blocks, uint expected, int residual)
    {
        using var initiator = target.LogIn();
        initiator.SendCommand(Initiator.Cdb(0x2A, 0, blocks), expected, writes: expected > 0, immediate: Pattern((int)expected));
        var result = initiator.ReceiveResult();
        Initiator.MustBeGood(result);
        Assert.Equal(residual, Residual.Read(result.Header).Bytes);
        Assert.Equal(new byte[512], initiator.Read((uint)blocks, 1)); // Nothing beyond what was asked for.
    }

    [Fact]
    public void An_answer_that_is_shorter_than_expected_is_an_underflow()
    {
        using var initiator = target.LogIn();
        var result = initiator.Command([0x12, 0, 0, 1, 0, 0], 256);
        Assert.Equal(96, result.Data.Length);
        Assert.Equal(-160, Residual.Read(result.Header).Bytes);
    }

    [Fact]
    public void A_failed_command_brings_its_sense()
    {
        using var initiator = target.LogIn();
        var result = initiator.Command(Initiator.Cdb(0x28, 32768, 1), 512);
        Assert.Equal("5/21/00", result.Sense);
        Assert.Equal(-512, Residual.Read(result.Header).Bytes);
        Assert.Equal([0, 18], result.Data[..2]);
    }

    [Fact]
    public void A_ping_comes_back_with_its_data_and_counts_a_status_of_its_own()
    {
        using var initiator = target.LogIn();
        var data = Pattern(1001);
        var tag = initiator.Ping(data);
        var pdu = initiator.Receive(Opcode.NopIn);
        Assert.Equal(new NopInPdu(tag, Bhs.NoTag), NopInPdu.Read(pdu.Header));
        Assert.Equal(data, pdu.Data);
    }

    [Fact]
    public void Commands_with_additional_headers_are_read_past_them()
    {
        using var initiator = target.LogIn();
        var pdu = new byte[48 + 8 + 512];
        new ScsiCommandPdu(false, true, false, true, TaskAttribute.Simple, 77, 512, initiator.CmdSN++, 0).Write(
            pdu, new byte[8], Initiator.Cdb(0x2A, 3, 1), 512);
        pdu[4] = 2; // 8 bytes of AHS.
        pdu.AsSpan(48, 8).Fill(0xEE);
        pdu.AsSpan(56).Fill(0x5A);
        initiator.SendRaw(pdu);
        Initiator.MustBeGood(initiator.ReceiveResult());
        Assert.Equal(Enumerable.Repeat((byte)0x5A, 512), initiator.Read(3, 1));
    }

    [Fact]
    public void A_slow_read_is_answered_later_and_others_go_on()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        target.Device.BeforeRead = lba => lba.Value == 7 ? new ValueTask(gate.Task) : default;
        using var initiator = target.LogIn();
        var data = Pattern(16 * 512);
        initiator.Write(0, data);
        var slow = initiator.SendCommand(Initiator.Cdb(0x28, 7, 1), 512, reads: true);
        var slowAndLarge = initiator.SendCommand(Initiator.Cdb(0x28, 7, 200), 102400, reads: true);
        for (uint i = 0; i < 4; i++) Assert.Equal(data[(int)(i * 512)..(int)((i + 1) * 512)], initiator.Read(i, 1));
        gate.SetResult();
        var results = new[] { initiator.ReceiveResult(), initiator.ReceiveResult() }.ToDictionary(
            pdu => Bhs.ReadInitiatorTaskTag(pdu.Header));
        Assert.Equal(data[(7 * 512)..(8 * 512)], results[slow].Data);
        Assert.Equal(data[(7 * 512)..], results[slowAndLarge].Data[..(9 * 512)]);
        initiator.MustHaveNothingButThePing();
    }

    [Fact]
    public void Slow_writes_and_flushes_are_answered_when_they_are_done()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        target.Device.BeforeFlush = () => new ValueTask(gate.Task);
        using var initiator = target.LogIn();
        var flush = initiator.SendCommand(Initiator.Cdb(0x35, 0, 0));
        initiator.Write(0, Pattern(512));
        gate.SetResult();
        var result = initiator.ReceiveResult();
        Assert.Equal(flush, Bhs.ReadInitiatorTaskTag(result.Header));
        Initiator.MustBeGood(result);
    }

    [Fact]
    public void StatSN_follows_the_wire_when_answers_overtake_each_other()
    {
        var gates = Enumerable.Range(0, 20)
            .Select(_ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).ToArray();
        target.Device.BeforeRead = lba => lba.Value < 20 ? new ValueTask(gates[lba.Value].Task) : default;
        using var initiator = target.LogIn();
        for (uint i = 0; i < 20; i++) initiator.SendCommand(Initiator.Cdb(0x28, i, 1), 512, reads: true);
        initiator.MustHaveNothingButThePing();
        var expected = initiator.StatSN + 1;
        for (var i = 19; i >= 0; i--) gates[i].SetResult();
        for (var i = 0; i < 20; i++) Assert.Equal(expected++, initiator.Receive(Opcode.DataIn).Numbers.StatSN);
    }

    [Fact]
    public void An_ordered_command_waits_for_those_before_it()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        target.Device.BeforeRead = lba => lba.Value == 1 ? new ValueTask(gate.Task) : default;
        using var initiator = target.LogIn();
        var first = initiator.SendCommand(Initiator.Cdb(0x28, 1, 1), 512, reads: true);
        var second = initiator.SendCommand(Initiator.Cdb(0x28, 2, 1), 512, reads: true, attribute: TaskAttribute.Ordered);
        gate.SetResult();
        Assert.Equal(first, Bhs.ReadInitiatorTaskTag(initiator.ReceiveResult().Header));
        Assert.Equal(second, Bhs.ReadInitiatorTaskTag(initiator.ReceiveResult().Header));
    }
}
