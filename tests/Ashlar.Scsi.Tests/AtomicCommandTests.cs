namespace Ashlar.Scsi.Tests;

public sealed class AtomicCommandTests
{
    readonly TestUnit unit = new();

    static byte[] CompareAndWrite(ulong lba, byte count)
    {
        var cdb = TestUnit.Cdb16(0x89, lba, 0);
        cdb[13] = count;
        return cdb;
    }

    static byte[] Pair(byte old, byte fresh, int count = 1) => [.. TestUnit.Blocks(count, old), .. TestUnit.Blocks(count, fresh)];

    [Fact]
    public void Compare_and_write_writes_when_the_blocks_are_equal()
    {
        unit.Send(CompareAndWrite(5, 2), Pair(0, 1, 2)).MustBeGood();
        Assert.Equal(TestUnit.Blocks(2, 1), unit.Read(5, 2));
    }

    [Fact]
    public void Compare_and_write_says_where_the_blocks_differ_and_writes_nothing()
    {
        unit.Fill(6, 1, 9);
        var answer = unit.Send(CompareAndWrite(5, 2), Pair(0, 1, 2));
        answer.MustFail("E/1D/00");
        Assert.Equal(512UL, answer.Sense.Information);
        Assert.Equal(TestUnit.Blocks(1, 0), unit.Read(5, 1));
    }

    [Fact]
    public void Compare_and_write_keeps_to_its_limits()
    {
        unit.Send(CompareAndWrite(0, 129), Pair(0, 1, 129)).MustFail("5/24/00");
        unit.Send(CompareAndWrite(0, 0), []).MustFail("5/24/00");
        unit.Send(CompareAndWrite(4095, 2), Pair(0, 1, 2)).MustFail("5/21/00");
        unit.Send(CompareAndWrite(0, 1), TestUnit.Blocks(1, 0)).MustFail("5/1A/00"); // Half of its data.
    }

    [Fact]
    public void Orwrite_sets_bits()
    {
        unit.Fill(1, 1, 0x0F);
        unit.Send(TestUnit.Cdb16(0x8B, 1, 1), TestUnit.Blocks(1, 0xA0)).MustBeGood();
        Assert.Equal(TestUnit.Blocks(1, 0xAF), unit.Read(1, 1));
    }

    [Fact]
    public async Task A_write_waits_for_a_compare_and_write_of_its_blocks_and_no_other_does()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        unit.Device.BeforeRead = _ => new ValueTask(gate.Task);
        var atomic = unit.SendAsync(CompareAndWrite(5, 1), Pair(0, 1));
        var overlapping = unit.SendAsync(TestUnit.Cdb10(0x2A, 4, 2), TestUnit.Blocks(2, 2));
        Assert.False(overlapping.IsCompleted);
        unit.Send(TestUnit.Cdb10(0x2A, 6, 1), TestUnit.Blocks(1, 3)).MustBeGood();
        gate.SetResult();
        (await atomic).MustBeGood();
        (await overlapping).MustBeGood();
        Assert.Equal(2, unit.Read(5, 1)[0]); // The write came last.
    }

    [Fact]
    public async Task A_write_by_another_protocol_waits_for_a_compare_and_write_too()
    {
        var nbd = unit.Attach();
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        unit.Device.BeforeRead = _ => new ValueTask(gate.Task);
        var atomic = unit.SendAsync(CompareAndWrite(5, 1), Pair(0, 1));
        var write = nbd.WriteAsync(5 * 512, TestUnit.Blocks(1, 2)).AsTask();
        Assert.False(write.IsCompleted);
        await nbd.WriteAsync(6 * 512, TestUnit.Blocks(1, 3));
        gate.SetResult();
        (await atomic).MustBeGood();
        await write;
        Assert.Equal(2, unit.Read(5, 1)[0]); // The write came last.
    }

    // WRITE SAME without UNMAP and with it, of zeros and of a pattern; the list of an UNMAP is data.
    [Theory]
    [InlineData("UNMAP")]
    [InlineData("WRITE SAME(10)", 0x00, 7)]
    [InlineData("WRITE SAME(10)", 0x00, 0)]
    [InlineData("WRITE SAME(10)", 0x08, 0)]
    [InlineData("WRITE SAME(16)", 0x00, 7)]
    [InlineData("WRITE SAME(16)", 0x00, 0)]
    [InlineData("WRITE SAME(16)", 0x08, 0)]
    [InlineData("WRITE SAME(16)", 0x01, 0)]
    [InlineData("ORWRITE", 0x00, 7)]
    [InlineData("WRITE AND VERIFY(10)", 0x00, 7)]
    public async Task Whatever_changes_blocks_waits_for_a_compare_and_write_of_them_and_leaves_others_alone(
        string command, int flags = 0, byte fill = 0)
    {
        byte[] Cdb(ulong lba, int count) => command switch
        {
            "UNMAP" => [0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0],
            "WRITE SAME(10)" => TestUnit.Cdb10(0x41, (uint)lba, count, flags),
            "WRITE SAME(16)" => TestUnit.Cdb16(0x93, lba, (uint)count, flags),
            "ORWRITE" => TestUnit.Cdb16(0x8B, lba, (uint)count, flags),
            _ => TestUnit.Cdb10(0x2E, (uint)lba, count, flags),
        };
        byte[] Data(ulong lba, int count) => command switch
        {
            "UNMAP" => [0, 22, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte)lba, 0, 0, 0, (byte)count, 0, 0, 0, 0],
            "WRITE SAME(16)" when flags == 0x01 => [],
            "WRITE SAME(10)" or "WRITE SAME(16)" => TestUnit.Blocks(1, fill),
            _ => TestUnit.Blocks(count, fill),
        };
        unit.Fill(4, 4, 1);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        unit.Device.BeforeRead = start => start.Value == 5 ? new ValueTask(gate.Task) : default;
        var atomic = unit.SendAsync(CompareAndWrite(5, 1), Pair(1, 2));
        var overlapping = unit.SendAsync(Cdb(4, 2), Data(4, 2));
        Assert.False(overlapping.IsCompleted);
        unit.Send(Cdb(7, 1), Data(7, 1)).MustBeGood();
        gate.SetResult();
        (await atomic).MustBeGood();
        (await overlapping).MustBeGood();
        // It came last: what the other had written is gone, or the bits are set in it.
        Assert.Equal(command == "ORWRITE" ? fill | 2 : fill, unit.Read(5, 1)[0]);
    }

    [Fact]
    public void Of_many_initiators_that_compare_and_write_the_same_value_one_wins()
    {
        const int initiators = 8, rounds = 50;
        var units = Enumerable.Range(0, initiators).Select(_ => new TestUnit(unit.Unit)).ToArray();
        for (byte round = 0; round < rounds; round++)
        {
            var answers = new Answer[initiators];
            using var start = new Barrier(initiators);
            // Threads of their own: those of a pool would have to come first.
            var threads = units.Select((initiator, number) => new Thread(() =>
            {
                start.SignalAndWait();
                answers[number] = initiator.SendAsync(CompareAndWrite(0, 1), Pair(round, (byte)(round + 1))).GetAwaiter().GetResult();
            })).ToArray();
            foreach (var thread in threads) thread.Start();
            foreach (var thread in threads) thread.Join();
            Assert.Equal(1, answers.Count(answer => answer.Status == ScsiStatus.Good));
        }
    }
}
