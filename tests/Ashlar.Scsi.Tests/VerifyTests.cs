namespace Ashlar.Scsi.Tests;

public sealed class VerifyTests
{
    readonly TestUnit unit = new();

    static byte[] Cdb(int opcode, uint lba, int count, int flags) => (opcode >> 5) switch
    {
        1 => TestUnit.Cdb10(opcode, lba, count, flags),
        5 => TestUnit.Cdb12(opcode, lba, (uint)count, flags),
        _ => TestUnit.Cdb16(opcode, lba, (uint)count, flags),
    };

    [Theory]
    [InlineData(0x2F)]
    [InlineData(0xAF)]
    [InlineData(0x8F)]
    public void Verify_compares_when_it_is_told_to(int opcode)
    {
        unit.Fill(10, 4, 7);
        var data = TestUnit.Blocks(4, 7);
        unit.Send(Cdb(opcode, 10, 4, 2), data).MustBeGood();
        data[1025] ^= 1;
        var answer = unit.Send(Cdb(opcode, 10, 4, 2), data);
        answer.MustFail("E/1D/00");
        Assert.Equal(1025UL, answer.Sense.Information);
        unit.Send(Cdb(opcode, 10, 4, 0)).MustBeGood();                                // The medium only.
        unit.Send(Cdb(opcode, 10, 4, 6), TestUnit.Blocks(1, 7)).MustBeGood();         // Every block with one.
        unit.Send(Cdb(opcode, 9, 4, 6), TestUnit.Blocks(1, 7)).MustFail("E/1D/00");
        unit.Send(Cdb(opcode, 10, 4, 4)).MustFail("5/24/00");                          // BYTCHK 2 is reserved.
    }

    [Theory]
    [InlineData(0x2E)]
    [InlineData(0xAE)]
    [InlineData(0x8E)]
    public void Write_and_verify_writes_durably(int opcode)
    {
        unit.Send(Cdb(opcode, 20, 2, 2), TestUnit.Blocks(2, 5)).MustBeGood();
        Assert.Equal(5, unit.Read(20, 2)[1023]);
        Assert.Equal(Blocks.WriteOptions.ForceUnitAccess, unit.Device.Writes[0].Options);
        unit.Send(Cdb(opcode, 20, 2, 4), TestUnit.Blocks(2, 5)).MustFail("5/24/00");
    }

    // A preemption that aborts does, and lets nothing new of the session begin meanwhile.
    [Fact]
    public async Task Write_and_verify_ends_while_somebody_waits_for_its_end()
    {
        var (begun, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        unit.Device.BeforeWrite = async _ =>
        {
            begun.TrySetResult();
            await goOn.Task;
        };
        var writing = unit.SendAsync(Cdb(0x2E, 20, 2, 2), TestUnit.Blocks(2, 5));
        await begun.Task;
        var drained = unit.Unit.Volume.DrainAsync([unit.Session.Registrant]);
        Assert.False(drained.IsCompleted);
        goOn.SetResult();
        (await writing.WaitAsync(TimeSpan.FromMinutes(2))).MustBeGood();
        await drained.WaitAsync(TimeSpan.FromMinutes(2));
    }

    [Fact]
    public void Comparing_with_one_block_needs_one()
    {
        unit.Fill(10, 4, 0);
        unit.Send(Cdb(0x2F, 10, 4, 6), new byte[256]).MustFail("5/1A/00");
        unit.Send(Cdb(0x2F, 10, 4, 6)).MustFail("5/1A/00");
    }

    [Fact]
    public void A_long_verify_works_in_pieces()
    {
        unit.Fill(0, 2048, 3);
        var data = TestUnit.Blocks(2048, 3);
        data[^1] = 4;
        var answer = unit.Send(TestUnit.Cdb16(0x8F, 0, 2048, flags: 2), data);
        answer.MustFail("E/1D/00");
        Assert.Equal((ulong)data.Length - 1, answer.Sense.Information);
    }
}
