namespace Ashlar.Scsi.Tests;

public sealed class CapacityAndModeTests
{
    readonly TestUnit unit = new();

    [Fact]
    public void Capacity_10_gives_last_block_and_block_size() =>
        Assert.Equal("00000FFF00000200", Convert.ToHexString(unit.Send([0x25]).MustBeGood()));

    [Fact]
    public void Capacity_10_says_when_it_cannot_say()
    {
        var device = new ScriptedDevice();
        device.GeometryOverride = device.Geometry with { BlockCount = 1L << 33 };
        Assert.Equal("FFFFFFFF00000200", Convert.ToHexString(new TestUnit(device).Send([0x25]).MustBeGood()));
    }

    [Fact]
    public void Capacity_10_refuses_an_address_without_PMI() => unit.Send([0x25, 0, 0, 0, 0, 1]).MustFail("5/24/00");

    [Fact]
    public void Capacity_16_tells_of_thin_provisioning_and_physical_blocks()
    {
        var device = new ScriptedDevice();
        device.GeometryOverride = device.Geometry with { BlockCount = 1L << 33, PhysicalBlockSizeBytes = 4096 };
        var answer = new TestUnit(device).Send([0x9E, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0]).MustBeGood();
        Assert.Equal("00000001FFFFFFFF" + "00000200" + "00" + "03" + "C000", Convert.ToHexString(answer, 0, 16));
        Assert.Equal(32, answer.Length);
    }

    [Fact]
    public void Capacity_16_is_cut_to_the_allocation_length() =>
        Assert.Equal(12, unit.Send([0x9E, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 0, 0]).MustBeGood().Length);

    [Fact]
    public void Mode_sense_6_shows_the_write_cache()
    {
        var answer = unit.Send([0x1A, 8, 8, 0, 255, 0]).MustBeGood();
        Assert.Equal("17001000" + "0812" + "04" + new string('0', 34), Convert.ToHexString(answer));
    }

    [Fact]
    public void Mode_sense_6_starts_with_a_block_descriptor() =>
        Assert.Equal("17001008" + "0000100000000200" + "0A0A0010", Convert.ToHexString(unit.Send([0x1A, 0, 0x0A, 0, 255, 0]).MustBeGood(), 0, 16));

    [Fact]
    public void Mode_sense_10_has_long_block_descriptors()
    {
        var answer = unit.Send([0x5A, 0x10, 0x1C, 0, 0, 0, 0, 0, 255, 0]).MustBeGood();
        Assert.Equal("0022001001000010" + "0000000000001000" + "0000000000000200" + "1C0A", Convert.ToHexString(answer, 0, 26));
    }

    [Fact]
    public void All_pages_come_in_ascending_order()
    {
        var answer = unit.Send([0x1A, 8, 0x3F, 0, 255, 0]).MustBeGood();
        Assert.Equal(4 + 20 + 12 + 12, answer.Length);
        Assert.Equal([0x08, 0x0A, 0x1C], new[] { answer[4], answer[24], answer[36] });
    }

    [Fact]
    public void Changeable_values_are_D_SENSE_and_SWP() =>
        Assert.Equal("0A0A04000800", Convert.ToHexString(unit.Send([0x1A, 8, 0x4A, 0, 255, 0]).MustBeGood(), 4, 6));

    [Fact]
    public void Saved_values_and_unknown_pages_are_refused()
    {
        unit.Send([0x1A, 8, 0xC8, 0, 255, 0]).MustFail("5/39/00");
        unit.Send([0x1A, 8, 0x01, 0, 255, 0]).MustFail("5/24/00");
        unit.Send([0x1A, 8, 0x08, 7, 255, 0]).MustFail("5/24/00");
    }

    [Fact]
    public void A_read_only_device_shows_write_protection()
    {
        unit.Device.IsReadOnly = true;
        Assert.Equal(0x90, unit.Send([0x1A, 8, 8, 0, 255, 0]).MustBeGood()[2]);
        unit.Send(TestUnit.Cdb10(0x2A, 0, 1), TestUnit.Blocks(1, 1)).MustFail("7/27/00");
        unit.Send([0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0], []).MustFail("7/27/00");
    }

    [Fact]
    public void Mode_select_that_changes_nothing_is_accepted()
    {
        var pages = unit.Send([0x1A, 8, 0x3F, 0, 255, 0]).MustBeGood();
        pages[0] = pages[2] = 0; // Reserved in MODE SELECT.
        unit.Send([0x15, 0x10, 0, 0, (byte)pages.Length, 0], pages).MustBeGood();
    }

    [Fact]
    public void Software_write_protection_refuses_writes_and_is_told_to_others()
    {
        var other = new TestUnit(unit.Unit);
        Select(unit, flags: 0, protect: 8).MustBeGood();
        unit.Send(TestUnit.Cdb10(0x2A, 0, 1), TestUnit.Blocks(1, 1)).MustFail("7/27/02");
        other.Send([0]).MustFail("6/2A/01");
        Select(unit, flags: 0, protect: 0).MustBeGood();
        unit.Fill(0, 1, 1);
    }

    [Fact]
    public void Descriptor_sense_can_be_chosen()
    {
        Select(unit, flags: 4, protect: 0).MustBeGood();
        var command = new ScsiCommand();
        unit.Nexus.Begin(command, new byte[8], new byte[16]);
        Assert.True(command.DescriptorSense);
    }

    [Fact]
    public void Mode_select_refuses_what_cannot_change_and_then_changes_nothing()
    {
        byte[] list = [0, 0, 0, 0, 0x0A, 0x0A, 4, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0x08, 0x12, 0, .. new byte[17]]; // WCE off.
        unit.Send([0x15, 0x10, 0, 0, (byte)list.Length, 0], list).MustFail("5/26/00");
        Assert.False(unit.Unit.Mode.DescriptorSense);
    }

    [Theory]
    [InlineData("000000")]                       // Less than a header.
    [InlineData("00000008")]                     // A descriptor that is not there.
    [InlineData("000000000A")]                   // Half a page header.
    [InlineData("000000000A0A0010")]             // Half a page.
    public void Mode_select_refuses_lists_that_end_early(string list)
    {
        var bytes = Convert.FromHexString(list);
        unit.Send([0x15, 0x10, 0, 0, (byte)bytes.Length, 0], bytes).MustFail("5/1A/00");
    }

    [Fact]
    public void Mode_select_cannot_save_nor_take_vendor_formats()
    {
        unit.Send([0x15, 0x11, 0, 0, 0, 0], []).MustFail("5/24/00");
        unit.Send([0x15, 0x00, 0, 0, 0, 0], []).MustFail("5/24/00");
    }

    static Answer Select(TestUnit unit, byte flags, byte protect)
    {
        byte[] list = [0, 0, 0, 0, 0x0A, 0x0A, flags, 0x10, protect, 0, 0, 0, 0, 0, 0, 0];
        return unit.Send([0x15, 0x10, 0, 0, (byte)list.Length, 0], list);
    }
}
