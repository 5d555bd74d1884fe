using Ashlar.Blocks;

namespace Ashlar.Scsi.Tests;

/// <summary>Paths to a unit, and what each carries in its state (ALUA, SPC-4, 5.15.2).</summary>
public sealed class TargetPortGroupTests
{
    readonly PathStates paths = new(2);
    readonly TestUnit unit;

    public TargetPortGroupTests() => unit = new(paths: paths);

    [Fact]
    public void Each_portal_is_reported_as_a_group_of_one_port()
    {
        paths.Set(2, PathState.Standby);
        const string groups = "000F0001" + "00000001" + "00000001" + "020F0002" + "00020001" + "00000002";
        Assert.Equal("00000018" + groups, Report(0x0A));
        Assert.Equal("0000001C" + "10000000" + groups, Report(0x2A)); // With the extended header.
        Assert.Equal("00000018000F", Report(0x0A, allocationLength: 6));
        unit.Send([0xA3, 0x4A, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]).MustFail("5/24/00");
        unit.Send([0xA4, 0x0A, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0]).MustFail("5/20/00"); // SET TARGET PORT GROUPS.
    }

    [Fact]
    public void The_group_of_a_path_is_told_by_the_device_identification_page()
    {
        var page = Convert.ToHexString(unit.Send([0x12, 1, 0x83, 1, 0, 0]).MustBeGood());
        Assert.Contains("51940004" + "00000001", page, StringComparison.Ordinal); // Relative target port.
        Assert.Contains("51950004" + "00000001", page, StringComparison.Ordinal); // Target port group.
        Assert.Equal(0x10, unit.Send([0x12, 0, 0, 0, 0x60, 0]).MustBeGood()[5] & 0x30); // TPGS: implicit.
    }

    [Theory]
    [InlineData(PathState.Optimized, null, null)]
    [InlineData(PathState.NonOptimized, null, null)]
    [InlineData(PathState.Standby, "2/04/0B", null)]
    [InlineData(PathState.Unavailable, "2/04/0C", "2/04/0C")]
    public void A_path_carries_what_its_state_lets_it(PathState state, string? medium, string? modes)
    {
        byte[][] ofMedium =
        [
            [0x00, 0, 0, 0, 0, 0], TestUnit.Cdb10(0x28, 0, 1), TestUnit.Cdb10(0x2A, 0, 0), TestUnit.Cdb10(0x35, 0, 0),
            TestUnit.Cdb16(0x93, 0, 1), [0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ];
        byte[][] ofModes =
        [
            [0x1A, 0, 0x3F, 0, 0xFF, 0], [0x5E, 0, 0, 0, 0, 0, 0, 0, 0x20, 0], [0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            [0x9E, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x20, 0, 0], [0xA3, 0x0C, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0],
        ];
        byte[][] ofAny = [[0x12, 0, 0, 0, 0x60, 0], [0xA0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0], [0x03, 0, 0, 0, 0x20, 0]];
        paths.Set(1, state);
        foreach (var cdb in ofMedium) Check(cdb, medium);
        foreach (var cdb in ofModes) Check(cdb, modes);
        foreach (var cdb in ofAny) Check(cdb, null);
        Report(0x0A);
    }

    [Fact]
    public void A_change_is_a_unit_attention_once()
    {
        unit.Nexus.PathsChanged();
        unit.Send(new byte[6]).MustFail("6/2A/06");
        unit.Send(new byte[6]).MustBeGood();
    }

    void Check(byte[] cdb, string? code)
    {
        var answer = unit.Send(cdb, cdb[0] == 0x93 ? new byte[512] : null);
        if (code is null) answer.MustBeGood();
        else answer.MustFail(code);
    }

    string Report(byte serviceAction, byte allocationLength = 255) =>
        Convert.ToHexString(unit.Send([0xA3, serviceAction, 0, 0, 0, 0, 0, 0, 0, allocationLength, 0, 0]).MustBeGood());
}
