using Ashlar.Blocks;

namespace Ashlar.Scsi.Tests;

public sealed class ReadWriteTests
{
    readonly TestUnit unit = new();

    [Fact]
    public void A_read_with_FUA_makes_durable_what_is_cached()
    {
        unit.Fill(1, 4, 9);
        var flushes = unit.Device.Flushes;
        Assert.Equal(9, unit.Send(TestUnit.Cdb10(0x28, 1, 4, flags: 8)).MustBeGood()[0]);
        Assert.Equal(flushes + 1, unit.Device.Flushes);
        unit.Send(TestUnit.Cdb10(0x28, 1, 4)).MustBeGood();
        Assert.Equal(flushes + 1, unit.Device.Flushes);
    }

    [Fact]
    public void Every_length_of_command_reads_what_every_length_wrote()
    {
        unit.Send([0x0A, 0, 0, 1, 1, 0], TestUnit.Blocks(1, 0x06)).MustBeGood();
        unit.Send(TestUnit.Cdb10(0x2A, 2, 1), TestUnit.Blocks(1, 0x10)).MustBeGood();
        unit.Send(TestUnit.Cdb12(0xAA, 3, 1), TestUnit.Blocks(1, 0x12)).MustBeGood();
        unit.Send(TestUnit.Cdb16(0x8A, 4, 1), TestUnit.Blocks(1, 0x16)).MustBeGood();
        byte[] expected = [0x06, 0x10, 0x12, 0x16];
        foreach (var read in new byte[][] { [0x08, 0, 0, 1, 4, 0], TestUnit.Cdb10(0x28, 1, 4), TestUnit.Cdb12(0xA8, 1, 4), TestUnit.Cdb16(0x88, 1, 4) })
        {
            var data = unit.Send(read).MustBeGood();
            Assert.Equal(expected, new[] { data[0], data[512], data[1024], data[1536] });
        }
    }

    [Fact]
    public void In_six_bytes_a_count_of_zero_means_256() =>
        Assert.Equal(256 * 512, unit.Send([0x08, 0, 0, 0, 0, 0]).MustBeGood().Length);

    [Fact]
    public void In_longer_commands_a_count_of_zero_means_nothing()
    {
        Assert.Empty(unit.Send(TestUnit.Cdb10(0x28, 0, 0)).MustBeGood());
        unit.Send(TestUnit.Cdb10(0x2A, 0, 0), []).MustBeGood();
        Assert.Empty(unit.Device.Writes);
    }

    // The device has 4096 blocks. Sums and shifts that overflow must not turn a wrong address into a right one.
    [Theory]
    [InlineData(4096UL, 0u)]
    [InlineData(4096UL, 1u)]
    [InlineData(4095UL, 2u)]
    [InlineData(0UL, 4097u)]
    [InlineData(1UL, 0xFFFFFFFFu)]
    [InlineData(0xFFFFFFFFFFFFFFFFUL, 1u)]
    [InlineData(0xFFFFFFFFFFFFFFFFUL, 2u)]
    [InlineData(0x8000000000000000UL, 1u)]
    [InlineData(0x0080000000000000UL, 1u)] // 0 after a shift by 9.
    public void Blocks_beyond_the_end_are_out_of_range(ulong lba, uint count)
    {
        foreach (var opcode in new[] { 0x88, 0x8A, 0x8F, 0x8E, 0x8B, 0x90, 0x91, 0x93 })
            unit.Send(TestUnit.Cdb16(opcode, lba, count), []).MustFail("5/21/00");
    }

    [Fact]
    public void The_last_block_is_in_range()
    {
        unit.Fill(4095, 1, 9);
        Assert.Equal(9, unit.Read(4095, 1)[511]);
    }

    [Fact]
    public void More_than_the_block_limits_allow_is_refused()
    {
        var big = new TestUnit(new ScriptedDevice(100_000));
        big.Send(TestUnit.Cdb16(0x88, 0, 8193)).MustFail("5/24/00");
        big.Send(TestUnit.Cdb16(0x88, 0, 8192)).MustBeGood();
    }

    [Fact]
    public void Protection_information_is_refused()
    {
        foreach (var opcode in new[] { 0x88, 0x8A, 0x8F, 0x8E, 0x8B, 0x89, 0x93 })
            unit.Send(TestUnit.Cdb16(opcode, 0, 1, flags: 0x20), TestUnit.Blocks(1, 0)).MustFail("5/24/00");
    }

    [Fact]
    public void FUA_makes_the_write_durable_and_DPO_is_a_hint()
    {
        unit.Send(TestUnit.Cdb10(0x2A, 0, 1, flags: 0x10), TestUnit.Blocks(1, 1)).MustBeGood();
        unit.Send(TestUnit.Cdb10(0x2A, 1, 1, flags: 0x08), TestUnit.Blocks(1, 1)).MustBeGood();
        Assert.Equal([WriteOptions.None, WriteOptions.ForceUnitAccess], unit.Device.Writes.Select(write => write.Options));
    }

    [Fact]
    public void Writes_with_too_little_data_write_the_whole_blocks_that_are_there()
    {
        unit.Fill(0, 3, 1);
        unit.Send(TestUnit.Cdb10(0x2A, 0, 3), TestUnit.Blocks(1, 2).Concat(new byte[100]).ToArray()).MustBeGood();
        var data = unit.Read(0, 3);
        Assert.Equal(new byte[] { 2, 1, 1 }, new[] { data[0], data[512], data[1024] });
    }

    [Theory]
    [InlineData(0x35)]
    [InlineData(0x91)]
    public void Synchronize_cache_flushes_the_device(int opcode)
    {
        unit.Send(TestUnit.Cdb16(opcode, 0, 0)).MustBeGood();
        unit.Send(TestUnit.Cdb16(opcode, 0, 0, flags: 2)).MustBeGood();
        Assert.Equal(2, unit.Device.Flushes);
    }

    [Fact]
    public void Prefetch_checks_its_range_and_is_a_hint()
    {
        unit.Send(TestUnit.Cdb10(0x34, 0, 0)).MustBeGood();
        unit.Send(TestUnit.Cdb10(0x34, 4095, 1)).MustBeGood();
        unit.Send(TestUnit.Cdb10(0x34, 4095, 2)).MustFail("5/21/00");
    }

    [Fact]
    public void A_command_waits_for_a_slow_device_without_holding_its_caller()
    {
        var gate = new TaskCompletionSource();
        unit.Device.BeforeRead = _ => new ValueTask(gate.Task);
        var pending = unit.SendAsync(TestUnit.Cdb10(0x28, 0, 1));
        Assert.False(pending.IsCompleted);
        gate.SetResult();
        Assert.Equal(512, pending.GetAwaiter().GetResult().MustBeGood().Length);
    }
}
