using Ashlar.Blocks;
using Ashlar.Scsi;

namespace Ashlar.Iscsi.Tests;

/// <summary>However many portals a node has, it is one.</summary>
public sealed class PortalTests : IAsyncLifetime
{
    readonly PathStates paths = new(2);
    readonly TestTarget target;

    public PortalTests() => target = new(portalCount: 2, paths: paths);

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => target.DisposeAsync().AsTask();

    [Fact]
    public void Discovery_through_any_portal_lists_all_of_them_each_in_a_group_of_its_own()
    {
        var expected = $"TargetName={TestTarget.Name}\0"
            + $"TargetAddress={target.Server.EndPoints[0]},1\0TargetAddress={target.Server.EndPoints[1]},2\0";
        foreach (var endPoint in target.Server.EndPoints)
        {
            using var initiator = new Initiator(endPoint);
            initiator.Login("InitiatorName=iqn.2026-11.test:one\0SessionType=Discovery\0");
            Assert.Equal(expected, initiator.SendText("SendTargets=All\0").Text);
        }
    }

    [Fact]
    public void Each_portal_tells_its_own_group_and_sessions_through_both_live_side_by_side()
    {
        using var first = LogIn(portal: 0);
        using var second = LogIn(portal: 1);
        Assert.Equal(512, first.Read(0, 1).Length);
        Assert.Equal(512, second.Read(0, 1).Length);
        Assert.Equal(2, target.Server.Node.Sessions.All.Length);

        // The same through the same portal is the same session again.
        using var again = LogIn(portal: 1);
        Assert.True(second.IsClosed());
        Assert.Equal(512, first.Read(0, 1).Length);
    }

    [Fact]
    public void A_reservation_through_one_portal_binds_the_others()
    {
        using var first = LogIn(portal: 0);
        using var second = LogIn(portal: 1, initiator: "iqn.2026-11.test:two");
        Initiator.MustBeGood(first.Command([0x16, 0, 0, 0, 0, 0]));
        second.SendCommand(Initiator.Cdb(0x28, 0, 1), 512, reads: true);
        Assert.Equal((byte)ScsiStatus.ReservationConflict, second.Receive(Opcode.ScsiResponse).Header[3]);
    }

    [Fact]
    public void A_reset_through_one_portal_reaches_commands_that_came_through_another()
    {
        using var first = LogIn(portal: 0);
        using var second = LogIn(portal: 1, initiator: "iqn.2026-11.test:two");
        first.SendCommand(Initiator.Cdb(0x2A, 0, 16), 16 * 512, writes: true);
        first.Receive(Opcode.ReadyToTransfer);
        var reset = second.ManageTasks(TaskManagementFunction.LogicalUnitReset);
        Assert.Equal(TaskManagementResult.Complete, TaskManagementResponsePdu.Read(reset.Header).Result);
        Assert.Equal("6/29/00", first.Command(new byte[16]).Sense);
    }

    [Fact]
    public void A_portal_that_is_set_to_standby_carries_no_data_and_every_session_hears_of_it()
    {
        using var first = LogIn(portal: 0);
        using var second = LogIn(portal: 1);
        paths.Set(1, PathState.Standby);
        byte[] testUnitReady = new byte[16];
        foreach (var initiator in (Initiator[])[first, second]) Assert.Equal("6/2A/06", initiator.Command(testUnitReady).Sense);
        Assert.Equal("2/04/0B", first.Command(testUnitReady).Sense);
        first.SendCommand(Initiator.Cdb(0x28, 0, 1), 512, reads: true);
        Assert.Equal((byte)ScsiStatus.CheckCondition, first.Receive(Opcode.ScsiResponse).Header[3]);
        Assert.Equal(512, second.Read(0, 1).Length);

        paths.Set(1, PathState.NonOptimized);
        Assert.Equal("6/2A/06", first.Command(testUnitReady).Sense);
        Assert.Equal(512, first.Read(0, 1).Length);
    }

    Initiator LogIn(int portal, string initiator = "iqn.2026-11.test:one")
    {
        var result = new Initiator(target.Server.EndPoints[portal]);
        var response = result.LogIn(initiator, 0x8000_0000_0001);
        Assert.Contains($"TargetPortalGroupTag={portal + 1}\0", response.Text, StringComparison.Ordinal);
        result.ClearAttention();
        return result;
    }
}
