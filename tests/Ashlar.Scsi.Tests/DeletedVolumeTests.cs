using Ashlar.Blocks;

namespace Ashlar.Scsi.Tests;

/// <summary>The volume under a unit is deleted while initiators use it.</summary>
public sealed class DeletedVolumeTests : IAsyncLifetime
{
    readonly TestUnit unit = new();
    readonly ScsiCommand letIn = new();

    public async Task InitializeAsync()
    {
        unit.Nexus.Begin(letIn, new byte[8], TestUnit.Cdb16(0x8A, 0, 1));
        await unit.Unit.Volume.CloseAsync(FenceReason.VolumeDeleted, evenIfInUse: true);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public void There_is_no_unit_any_more()
    {
        unit.Send([0]).MustFail("5/25/00");
        unit.Send(TestUnit.Cdb16(0x88, 0, 1)).MustFail("5/25/00");
        Assert.Equal(0x7F, unit.Send([0x12, 0, 0, 0, 96, 0]).MustBeGood()[0]); // Qualifier 3, type 1Fh: no device here.
        Assert.Equal(0, unit.Send([0xA0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]).MustBeGood()[3]); // No LUN.
    }

    [Fact]
    public async Task A_command_that_was_let_in_before_fails_in_the_same_way()
    {
        var result = await letIn.ExecuteAsync(TestUnit.Blocks(1, 1));
        Assert.Equal(Sense.LogicalUnitNotSupported, result.Sense);
        Assert.Empty(unit.Device.Writes);
    }
}
