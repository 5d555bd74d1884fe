using System.Buffers.Binary;
using System.Text;

namespace Ashlar.Scsi.Tests;

public sealed class InquiryTests
{
    readonly TestUnit unit = new();

    byte[] Page(byte page) => unit.Send([0x12, 1, page, 0x10, 0, 0]).MustBeGood();

    [Fact]
    public void Standard_data_names_a_disk()
    {
        var data = unit.Send([0x12, 0, 0, 0, 0xFF, 0]).MustBeGood();
        Assert.Equal("000006125B180002", Convert.ToHexString(data, 0, 8));
        Assert.Equal("ASHLAR  VOLUME          0001", Encoding.ASCII.GetString(data, 8, 28));
        Assert.Equal("00A00960046004C0", Convert.ToHexString(data, 58, 8));
        Assert.Equal(96, data.Length);
    }

    [Fact]
    public void An_answer_is_cut_to_the_allocation_length() => Assert.Equal(5, unit.Send([0x12, 0, 0, 0, 5, 0]).MustBeGood().Length);

    [Fact]
    public void Pages_are_listed_in_ascending_order_and_each_can_be_read()
    {
        var list = Page(0);
        Assert.Equal("00000008" + "008083868FB0B1B2", Convert.ToHexString(list));
        foreach (var page in list[4..])
        {
            var data = Page(page);
            Assert.Equal(page, data[1]);
            Assert.Equal(data.Length - 4, BinaryPrimitives.ReadUInt16BigEndian(data.AsSpan(2)));
        }
    }

    [Fact]
    public void The_serial_number_is_the_identity_of_the_unit() =>
        Assert.Equal("00112233445566778899aabbccddeeff", Encoding.ASCII.GetString(Page(0x80), 4, 32));

    [Fact]
    public void Designators_name_unit_port_and_device()
    {
        var page = Page(0x83);
        var found = new List<string>();
        for (var at = 4; at < page.Length; at += 4 + page[at + 3]) found.Add($"{page[at] & 0xF}:{page[at + 1]:X2}:{page[at + 3]}");
        Assert.Equal(["1:03:8", "2:01:44", "1:94:4", "1:95:4", "3:98:36", "3:A8:24"], found);
        Assert.Equal(3, page[8] >> 4); // NAA 3: locally assigned.
    }

    [Fact]
    public void The_NAA_identifier_depends_on_the_identity_alone()
    {
        var again = new TestUnit(new ScriptedDevice(8192, 4096)).Send([0x12, 1, 0x83, 0, 16, 0]).MustBeGood();
        Assert.Equal(Page(0x83)[..16], again);
    }

    [Fact]
    public void Block_limits_say_what_commands_may_ask_for()
    {
        var page = Page(0xB0);
        Assert.Equal(64, page.Length);
        Assert.Equal(1, page[4]);
        Assert.Equal(128, page[5]);
        Assert.Equal(4 * 1024 * 1024 / 512, BinaryPrimitives.ReadInt32BigEndian(page.AsSpan(8)));
        Assert.Equal(1 << 20, BinaryPrimitives.ReadInt32BigEndian(page.AsSpan(20)));
        Assert.Equal(256, BinaryPrimitives.ReadInt32BigEndian(page.AsSpan(24)));
        Assert.Equal(32768, BinaryPrimitives.ReadInt64BigEndian(page.AsSpan(36)));
    }

    [Fact]
    public void Unmap_granularity_is_the_allocation_unit_of_the_device()
    {
        var device = new ScriptedDevice();
        device.GeometryOverride = device.Geometry with { OptimalTransferBytes = 65536 };
        var page = new TestUnit(device).Send([0x12, 1, 0xB0, 0, 64, 0]).MustBeGood();
        Assert.Equal("0080", Convert.ToHexString(page, 6, 2));
        Assert.Equal("0000008080000000", Convert.ToHexString(page, 28, 8));
    }

    [Fact]
    public void Atomic_writes_are_as_long_as_the_device_can()
    {
        Assert.Equal(new string('0', 40), Convert.ToHexString(Page(0xB0), 44, 20));
        unit.Device.GeometryOverride = unit.Device.Geometry with { MaxAtomicWriteBytes = 1 << 20 };
        Assert.Equal("00000800" + new string('0', 32), Convert.ToHexString(Page(0xB0), 44, 20));
    }

    [Fact]
    public void The_page_of_copies_says_what_the_commands_are_and_what_they_take() => Assert.Equal(
        "008F0064"
        + "0001000C" + "08" + "830100" + "8403000304" + "000000"
        + "0004001C" + "00000000" + "00080008" + "000001E0" + new string('0', 32)
        + "00080004" + "0202E400"
        + "000C0004" + "0002FFFF"
        + "80010020" + "00000004" + "00000004" + "02000000" + "0900" + new string('0', 36),
        Convert.ToHexString(Page(0x8F)));

    [Fact]
    public void Provisioning_is_thin_and_unmapped_blocks_read_as_zeros() =>
        Assert.Equal("00B2000400E40200", Convert.ToHexString(Page(0xB2)));

    [Fact]
    public void Provisioning_of_a_thick_volume_is_of_its_own_resources()
    {
        unit.Device.GeometryOverride = unit.Device.Geometry with { IsThick = true };
        Assert.Equal("00B2000400E40100", Convert.ToHexString(Page(0xB2)));
    }

    [Fact]
    public void Unknown_pages_and_obsolete_flags_are_refused()
    {
        unit.Send([0x12, 1, 0xC0, 0, 255, 0]).MustFail("5/24/00");
        unit.Send([0x12, 0, 0x80, 0, 255, 0]).MustFail("5/24/00"); // A page code without EVPD.
        unit.Send([0x12, 2, 0, 0, 255, 0]).MustFail("5/24/00");
    }

    [Fact]
    public void A_unit_that_does_not_exist_says_so()
    {
        Assert.Equal(0x7F, unit.Send([0x12, 0, 0, 0, 96, 0], lunNumber: 3).MustBeGood()[0]);
        unit.Send([0x12, 1, 0x83, 0, 96, 0], lunNumber: 3).MustFail("5/24/00");
        unit.Send([0, 0, 0, 0, 0, 0], lunNumber: 3).MustFail("5/25/00");
        var sense = unit.Send([0x03, 0, 0, 0, 18, 0], lunNumber: 3).MustBeGood();
        Assert.Equal("2500", Convert.ToHexString(sense, 12, 2));
    }
}
