using System.Buffers.Binary;

namespace Ashlar.Scsi.Tests;

public sealed class OperationCodeTests
{
    readonly TestUnit unit = new();

    static byte[] Cdb(int options, int opcode = 0, int serviceAction = 0) =>
        [0xA3, 0x0C, (byte)options, (byte)opcode, 0, (byte)serviceAction, 0, 0, 0x40, 0, 0, 0];

    [Fact]
    public void Every_command_that_is_listed_is_known_and_described_alone()
    {
        var all = unit.Send(Cdb(0)).MustBeGood();
        Assert.Equal(all.Length - 4, BinaryPrimitives.ReadInt32BigEndian(all));
        Assert.True(all.Length > 4 + (8 * 40));
        for (var at = 4; at < all.Length; at += 8)
        {
            var hasServiceAction = (all[at + 5] & 1) != 0;
            var one = unit.Send(Cdb(hasServiceAction ? 2 : 1, all[at], all[at + 3])).MustBeGood();
            Assert.Equal(3, one[1]);
            Assert.Equal(all[at + 7], one[3]);
            Assert.Equal(all[at], one[4]);
            Assert.NotEqual("5/20/00", unit.Send(hasServiceAction ? [all[at], all[at + 3]] : [all[at]]).Code);
        }
    }

    [Fact]
    public void Commands_that_are_not_known_are_not_listed()
    {
        for (var opcode = 0; opcode < 256; opcode++)
        {
            var one = unit.Send(Cdb(3, opcode)).MustBeGood();
            var listed = one[1] == 3;
            if (!listed) Assert.Contains(unit.Send([(byte)opcode]).Code, new[] { "5/20/00", "5/24/00" });
        }
    }

    [Fact]
    public void Timeouts_are_described_when_asked_for()
    {
        Assert.Equal("00830006", Convert.ToHexString(unit.Send(Cdb(0x81, 0x00)).MustBeGood(), 0, 4));
        Assert.Equal(4 + 6 + 12, unit.Send(Cdb(0x81, 0x00)).MustBeGood().Length);
        var all = unit.Send(Cdb(0x80)).MustBeGood();
        Assert.Equal(0, (all.Length - 4) % 20);
        Assert.Equal(2, all[9] & 2);
    }

    [Fact]
    public void Usage_masks_show_the_bits_that_are_read() =>
        Assert.Equal("0003000A" + "28F8FFFFFFFF00FFFF00", Convert.ToHexString(unit.Send(Cdb(1, 0x28)).MustBeGood()));

    [Fact]
    public void Questions_of_the_wrong_form_are_refused()
    {
        unit.Send(Cdb(1, 0x9E)).MustFail("5/24/00"); // Has service actions.
        unit.Send(Cdb(2, 0x28)).MustFail("5/24/00"); // Has none.
        unit.Send(Cdb(4)).MustFail("5/24/00");
    }

    [Fact]
    public void Task_management_functions_are_reported()
    {
        Assert.Equal("DA000000", Convert.ToHexString(unit.Send([0xA3, 0x0D, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0]).MustBeGood()));
        Assert.Equal(16, unit.Send([0xA3, 0x0D, 0x80, 0, 0, 0, 0, 0, 0, 16, 0, 0]).MustBeGood().Length);
        unit.Send([0xA3, 0x0D, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0]).MustFail("5/24/00");
    }
}
