using System.Buffers.Binary;
using Ashlar.Blocks;

namespace Ashlar.Scsi.Tests;

public sealed class PrimaryCommandTests
{
    readonly TestUnit unit = new();

    [Fact]
    public void A_new_nexus_learns_of_the_power_on_once()
    {
        var fresh = new TestUnit(clearAttention: false);
        fresh.Send([0x12, 0, 0, 0, 96, 0]).MustBeGood();  // INQUIRY neither reports nor clears it.
        fresh.Send(ReportLuns(0, 256)).MustBeGood();
        fresh.Send([0, 0, 0, 0, 0, 0]).MustFail("6/29/00");
        fresh.Send([0, 0, 0, 0, 0, 0]).MustBeGood();
    }

    [Fact]
    public void Request_sense_reports_and_clears_a_unit_attention()
    {
        var fresh = new TestUnit(clearAttention: false);
        var sense = fresh.Send([0x03, 0, 0, 0, 18, 0]).MustBeGood();
        Assert.Equal(6, sense[2]);
        Assert.Equal("2900", Convert.ToHexString(sense, 12, 2));
        fresh.Send([0, 0, 0, 0, 0, 0]).MustBeGood();
        Assert.Equal("720000000000" + "0000", Convert.ToHexString(fresh.Send([0x03, 1, 0, 0, 252, 0]).MustBeGood()));
    }

    [Fact]
    public void Growth_of_the_device_is_reported_to_every_nexus_once()
    {
        var other = new TestUnit(unit.Unit);
        unit.Device.GeometryOverride = unit.Device.Geometry with { BlockCount = 5000 };
        unit.Unit.Volume.Report(new(VolumeEventKind.CapacityChanged));
        unit.Send([0, 0, 0, 0, 0, 0]).MustFail("6/2A/09");
        unit.Send([0, 0, 0, 0, 0, 0]).MustBeGood();
        other.Send([0, 0, 0, 0, 0, 0]).MustFail("6/2A/09");
    }

    [Fact]
    public void Space_that_gets_short_is_reported_to_every_nexus_once()
    {
        var other = new TestUnit(unit.Unit);
        unit.Unit.Volume.Report(new(VolumeEventKind.SpaceRunsShort));
        unit.Send([0, 0, 0, 0, 0, 0]).MustFail("6/38/07");
        unit.Send([0, 0, 0, 0, 0, 0]).MustBeGood();
        other.Send([0, 0, 0, 0, 0, 0]).MustFail("6/38/07");
    }

    [Fact]
    public async Task Luns_are_listed_in_order()
    {
        var volume = new VolumeFront(new ScriptedDevice());
        var session = volume.Attach(new(ClientProtocol.Iscsi, "one", "192.0.2.1:1"));
        var nexus = new ScsiNexus(
            "t",
            "t,t,0x0001",
            1,
            [new(300, new LogicalUnit(Guid.Empty, volume), session), new(0, new LogicalUnit(Guid.Empty, volume), session)]);
        var command = new ScsiCommand();
        var cdb = new byte[16];
        ReportLuns(0, 256).CopyTo(cdb, 0);
        nexus.Begin(command, new byte[8], cdb);
        var answer = await command.ExecuteAsync(default);
        Assert.Equal("0000001000000000" + "0000000000000000" + "412C000000000000", Convert.ToHexString(answer.DataIn.Span));
    }

    [Theory]
    [InlineData(0, 8)]
    [InlineData(1, 0)]
    [InlineData(2, 8)]
    public void Reports_of_luns_can_be_selected(int select, int listBytes) =>
        Assert.Equal(listBytes, BinaryPrimitives.ReadInt32BigEndian(unit.Send(ReportLuns(select, 256)).MustBeGood()));

    [Theory]
    [InlineData(0x10)]
    [InlineData(0x11)]
    [InlineData(0x12)]
    [InlineData(3)]
    public void Reports_of_administrative_luns_are_refused(int select) => unit.Send(ReportLuns(select, 256)).MustFail("5/24/00");

    [Fact]
    public void A_report_of_luns_needs_room_for_one() => unit.Send(ReportLuns(0, 15)).MustFail("5/24/00");

    [Theory]
    [InlineData("0000000000000000", 0)]
    [InlineData("0007000000000000", 7)]
    [InlineData("4007000000000000", 7)]
    [InlineData("412C000000000000", 300)]
    [InlineData("0107000000000000", -1)] // Bus 1.
    [InlineData("C101000000000000", -1)] // Well-known unit.
    [InlineData("0000000100000000", -1)] // Second level.
    [InlineData("FFFFFFFFFFFFFFFF", -1)]
    public void Addresses_name_units(string address, int number) => Assert.Equal(number, LunAddress.Read(Convert.FromHexString(address)));

    [Fact]
    public void Stopping_flushes_and_starting_does_not()
    {
        unit.Send([0x1B, 0, 0, 0, 1, 0]).MustBeGood();
        Assert.Equal(0, unit.Device.Flushes);
        unit.Send([0x1B, 0, 0, 0, 0, 0]).MustBeGood();
        Assert.Equal(1, unit.Device.Flushes);
    }

    [Fact]
    public void Unknown_commands_are_refused()
    {
        unit.Send([0xC0, 0, 0, 0, 0, 0]).MustFail("5/20/00");
        unit.Send([0x83, 0x10, 0, 0, 0, 0]).MustFail("5/24/00"); // POPULATE TOKEN
        unit.Send([0x5D, 0, 0, 0, 0, 0, 0, 0, 8, 0]).MustFail("5/20/00"); // None.
        unit.Send([0x9E, 0x1F]).MustFail("5/24/00"); // A service action that does not exist.
    }

    [Fact]
    public void A_reset_forgets_reservation_and_mode_and_tells_everyone()
    {
        var other = new TestUnit(unit.Unit);
        unit.Send([0x16, 0, 0, 0, 0, 0]).MustBeGood();
        Assert.Equal(ScsiStatus.ReservationConflict, other.Send([0, 0, 0, 0, 0, 0]).Status);
        unit.Unit.Reset();
        other.Send([0, 0, 0, 0, 0, 0]).MustFail("6/29/00");
        other.Send([0, 0, 0, 0, 0, 0]).MustBeGood();
        unit.Send([0, 0, 0, 0, 0, 0]).MustFail("6/29/00");
    }

    static byte[] ReportLuns(int select, int allocation)
    {
        var cdb = new byte[12];
        cdb[0] = 0xA0;
        cdb[2] = (byte)select;
        BinaryPrimitives.WriteInt32BigEndian(cdb.AsSpan(6), allocation);
        return cdb;
    }
}
