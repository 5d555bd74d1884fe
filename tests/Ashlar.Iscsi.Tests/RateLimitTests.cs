using Ashlar.Blocks;
using Ashlar.Scsi;
using Ashlar.Scsi.Tests;
using Ashlar.Simulation;

namespace Ashlar.Iscsi.Tests;

/// <summary>
/// Commands that wait for the limits of their volume, on a clock that stands still: whatever ends them need not wait as well.
/// </summary>
public sealed class RateLimitTests : IAsyncLifetime
{
    static readonly TimeSpan Hangs = TimeSpan.FromMinutes(1);

    readonly TestTarget target = new(clock: new SimulatedClock());
    readonly TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync()
    {
        // Where a test has failed something still waits, and would keep the server.
        gate.TrySetResult();
        target.Front.Limits = RateLimits.None;
        return target.DisposeAsync().AsTask();
    }

    [Theory]
    [InlineData(nameof(TaskManagementFunction.AbortTask))]
    [InlineData(nameof(TaskManagementFunction.AbortTaskSet))]
    [InlineData(nameof(TaskManagementFunction.ClearTaskSet))]
    [InlineData(nameof(TaskManagementFunction.LogicalUnitReset))]
    [InlineData(nameof(TaskManagementFunction.TargetWarmReset))]
    public void An_initiator_that_aborts_its_own_is_answered_at_once(string function)
    {
        using var initiator = target.LogIn();
        var tag = SendWrites(initiator);
        initiator.SendTaskManagement(Enum.Parse<TaskManagementFunction>(function), tag, initiator.CmdSN - 1);
        Assert.Equal(TaskManagementResult.Complete, Result(initiator.Receive(Opcode.TaskManagementResponse)));
        Assert.Equal(function == nameof(TaskManagementFunction.AbortTask) ? 1 : 0, target.Front.WaitingCount);
        Assert.Single(target.Device.Writes);
        initiator.MustHaveNothingButThePing();
    }

    [Theory]
    [InlineData(nameof(TaskManagementFunction.ClearTaskSet))]
    [InlineData(nameof(TaskManagementFunction.LogicalUnitReset))]
    public void Another_that_aborts_them_is_answered_at_once(string function)
    {
        using var one = target.LogIn("iqn.2026-11.test:one", 1);
        using var two = target.LogIn("iqn.2026-11.test:two", 2);
        SendWrites(one);
        Assert.Equal(TaskManagementResult.Complete, Result(two.ManageTasks(Enum.Parse<TaskManagementFunction>(function))));
        Assert.Equal(0, target.Front.WaitingCount);
        Assert.Single(target.Device.Writes);
        one.MustHaveNothingButThePing();
    }

    // It is read aside, on the connection's own thread.
    [Fact]
    public void So_it_is_if_the_connection_waits_for_a_part_of_a_block()
    {
        using var one = target.LogIn("iqn.2026-11.test:one", 1);
        using var two = target.LogIn("iqn.2026-11.test:two", 2);
        target.Front.Limits = new(Iops: 1);
        one.Read(0, 1);
        one.SendCommand(Initiator.Cdb(0x28, 0, 1), 100, reads: true);
        MustWait(1);
        Assert.Equal(TaskManagementResult.Complete, Result(two.ManageTasks(TaskManagementFunction.LogicalUnitReset)));
        Assert.Equal(0, target.Front.WaitingCount);
        Assert.Equal("B/00/00", one.ReceiveResult().Sense);
    }

    [Fact]
    public async Task A_reset_is_not_about_what_waits_for_another_unit()
    {
        const string name = "iqn.2026-11.io.ashlar:main.other";
        await using var other = new VolumeFront(new ScriptedDevice(), new SimulatedClock());
        target.Add(name, new TestLun(0, Guid.NewGuid(), other));
        using var one = target.Connect();
        one.LogIn("iqn.2026-11.test:one", 1, name);
        one.ClearAttention();
        using var two = target.LogIn("iqn.2026-11.test:two", 2);
        other.Limits = new(Iops: 1);
        one.Read(0, 1);
        one.SendCommand(Initiator.Cdb(0x28, 0, 1), 100, reads: true);
        Assert.True(SpinWait.SpinUntil(() => other.WaitingCount == 1, Hangs));
        Assert.Equal(TaskManagementResult.Complete, Result(two.ManageTasks(TaskManagementFunction.LogicalUnitReset)));
        Assert.Equal(1, other.WaitingCount);
        other.Limits = RateLimits.None;
        Assert.Equal(100, one.ReceiveResult().Data.Length);
        one.LogOut();
    }

    [Fact]
    public void What_has_passed_is_not_given_up_with_what_waits()
    {
        target.Device.BeforeWrite = _ => new ValueTask(gate.Task);
        using var initiator = target.LogIn();
        SendWrites(initiator);
        initiator.SendTaskManagement(TaskManagementFunction.AbortTaskSet);
        MustWait(0);
        // The answer waits for it.
        Assert.True(SpinWait.SpinUntil(() => target.Server.Node.Sessions.All.Any(session => session.Tasks.AbortsWaiting == 1), Hangs));
        gate.SetResult();
        Assert.Equal(TaskManagementResult.Complete, Result(initiator.Receive(Opcode.TaskManagementResponse)));
        Assert.Single(target.Device.Writes);
    }

    [Fact]
    public void An_initiator_that_logs_out_is_told_that_they_were_aborted()
    {
        using var initiator = target.LogIn();
        SendWrites(initiator);
        initiator.SendLogOut();
        Assert.Equal("B/00/00", initiator.ReceiveResult().Sense);
        Assert.Equal("B/00/00", initiator.ReceiveResult().Sense);
        Assert.Equal(LogoutResult.Closed, LogoutResponsePdu.Read(initiator.Receive(Opcode.LogoutResponse).Header).Result);
        Assert.Single(target.Device.Writes);
        MustHaveLeft();
    }

    [Fact]
    public void An_initiator_that_just_leaves_is_not_kept()
    {
        using var initiator = target.LogIn();
        SendWrites(initiator);
        initiator.EndInput();
        MustHaveLeft();
        Assert.Single(target.Device.Writes);
    }

    /// <summary>One write passes, two wait. Returns the tag of the last.</summary>
    uint SendWrites(Initiator initiator)
    {
        target.Front.Limits = new(Iops: 1);
        uint tag = 0;
        for (var i = 0; i < 3; i++) tag = initiator.SendCommand(Initiator.Cdb(0x2A, 0, 1), 512, writes: true, immediate: new byte[512]);
        if (target.Device.BeforeWrite is null) Initiator.MustBeGood(initiator.ReceiveResult());
        MustWait(2);
        return tag;
    }

    static TaskManagementResult Result(Pdu pdu) => TaskManagementResponsePdu.Read(pdu.Header).Result;

    void MustWait(int count) => Assert.True(SpinWait.SpinUntil(() => target.Front.WaitingCount == count, Hangs));

    void MustHaveLeft()
    {
        Assert.True(SpinWait.SpinUntil(() => target.Leases == 0, Hangs), "the session does not end");
        Assert.Equal(0, target.Front.WaitingCount);
    }
}
