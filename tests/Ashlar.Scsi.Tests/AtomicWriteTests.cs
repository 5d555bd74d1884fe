using Ashlar.Blocks;

namespace Ashlar.Scsi.Tests;

/// <summary>WRITE ATOMIC(16), over a device that writes 64 KiB atomically, and over one that cannot.</summary>
public sealed class AtomicWriteTests
{
    readonly TestUnit unit;

    public AtomicWriteTests()
    {
        var device = new ScriptedDevice();
        device.GeometryOverride = device.Geometry with { MaxAtomicWriteBytes = 64 << 10 };
        unit = new TestUnit(device);
    }

    static byte[] Cdb(ulong lba, int count, int flags = 0, int boundary = 0)
    {
        var cdb = TestUnit.Cdb16(0x9C, lba, (uint)count, flags);
        (cdb[10], cdb[11]) = ((byte)(boundary >> 8), (byte)boundary);
        return cdb;
    }

    [Fact]
    public void All_of_it_is_one_write_which_the_device_knows_to_be_atomic()
    {
        unit.Send(Cdb(3, 128), TestUnit.Blocks(128, 7)).MustBeGood();
        unit.Send(Cdb(9, 1, flags: 8), TestUnit.Blocks(1, 8)).MustBeGood();
        Assert.Equal(
            [(new Lba(3), WriteOptions.Atomic), (new Lba(9), WriteOptions.Atomic | WriteOptions.ForceUnitAccess)], unit.Device.Writes);
        Assert.Equal(TestUnit.Blocks(1, 8), unit.Read(9, 1));
    }

    [Fact]
    public void What_it_cannot_be_is_refused_and_nothing_is_written()
    {
        unit.Send(Cdb(0, 129), TestUnit.Blocks(129, 1)).MustFail("5/24/00");
        unit.Send(Cdb(0, 8, boundary: 8), TestUnit.Blocks(8, 1)).MustFail("5/24/00");
        unit.Send(Cdb(0, 8, flags: 0x20), TestUnit.Blocks(8, 1)).MustFail("5/24/00");
        unit.Send(Cdb(4090, 200), TestUnit.Blocks(200, 1)).MustFail("5/21/00"); // Rather than that it is too long.
        unit.Send(Cdb(ulong.MaxValue, 1), TestUnit.Blocks(1, 1)).MustFail("5/21/00");
        unit.Send(Cdb(0, 8), TestUnit.Blocks(7, 1)).MustFail("5/1A/00");
        unit.Send(Cdb(0, 0)).MustBeGood();
        unit.Device.IsReadOnly = true;
        unit.Send(Cdb(0, 8), TestUnit.Blocks(8, 1)).MustFail("7/27/00");
        Assert.Empty(unit.Device.Writes);
    }

    [Fact]
    public void A_unit_that_cannot_does_not_have_the_command()
    {
        var plain = new TestUnit();
        plain.Send(Cdb(0, 1), TestUnit.Blocks(1, 1)).MustFail("5/20/00");
        Assert.Equal(1, plain.Send([0xA3, 0x0C, 1, 0x9C, 0, 0, 0, 0, 0x40, 0, 0, 0]).MustBeGood()[1]);
        Assert.Equal(3, unit.Send([0xA3, 0x0C, 1, 0x9C, 0, 0, 0, 0, 0x40, 0, 0, 0]).MustBeGood()[1]);
    }

    [Fact]
    public async Task The_driver_asks_no_device_for_more_than_it_says()
    {
        var session = unit.Attach();
        await Assert.ThrowsAsync<AtomicWriteException>(
            async () => await session.WriteAsync(0, new byte[(64 << 10) + 512], WriteOptions.Atomic));
        await Assert.ThrowsAsync<BlockAlignmentException>(async () => await session.WriteAsync(100, new byte[512], WriteOptions.Atomic));
        var plain = await Assert.ThrowsAsync<AtomicWriteException>(
            async () => await new TestUnit().Attach().WriteAsync(0, new byte[512], WriteOptions.Atomic));
        Assert.Equal("scripted: it cannot write atomically", plain.Message);
        Assert.Empty(unit.Device.Writes);
    }
}
