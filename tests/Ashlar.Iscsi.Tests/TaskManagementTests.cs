using Ashlar.Scsi;
using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi.Tests;

public sealed class TaskManagementTests : IAsyncLifetime
{
    static readonly TimeSpan Hangs = TimeSpan.FromMinutes(1);

    readonly TestTarget target = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => target.DisposeAsync().AsTask();

    /// <summary>Lets a device go on once an abort waits for it.</summary>
    void ReleaseOnceAborted(TaskCompletionSource gate, int aborts = 1)
    {
        Assert.True(SpinWait.SpinUntil(() => target.Server.Node.Sessions.All.Sum(session => session.Tasks.AbortsWaiting) == aborts, Hangs));
        gate.SetResult();
    }

    static TaskManagementResult Result(Pdu pdu) => TaskManagementResponsePdu.Read(pdu.Header).Result;

    [Fact]
    public void A_task_that_waits_for_data_is_aborted_and_its_data_ignored()
    {
        using var initiator = target.LogIn();
        var tag = initiator.SendCommand(Initiator.Cdb(0x2A, 0, 1024), 524288, writes: true);
        var r2t = ReadyToTransferPdu.Read(initiator.Receive(Opcode.ReadyToTransfer).Header);
        var aborted = initiator.ManageTasks(TaskManagementFunction.AbortTask, tag, initiator.CmdSN - 1);
        Assert.Equal(TaskManagementResult.Complete, Result(aborted));
        initiator.SendDataOut(tag, r2t.TargetTransferTag, 0, 0, new byte[4096], final: false);
        initiator.MustHaveNothingButThePing();
        Assert.Empty(target.Device.Writes);
        initiator.Write(0, new byte[512]);
    }

    [Fact]
    public void The_answer_to_an_abort_waits_for_a_write_that_runs()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var initiator = target.LogIn();
        target.Device.BeforeWrite = _ => new ValueTask(gate.Task);
        var tag = initiator.SendCommand(Initiator.Cdb(0x2A, 0, 1), 512, writes: true, immediate: new byte[512]);
        initiator.MustHaveNothingButThePing();
        initiator.SendTaskManagement(TaskManagementFunction.AbortTask, tag, initiator.CmdSN - 1);
        Assert.Empty(target.Device.Writes);
        ReleaseOnceAborted(gate);
        Assert.Equal(TaskManagementResult.Complete, Result(initiator.Receive(Opcode.TaskManagementResponse)));
        Assert.Single(target.Device.Writes); // It had landed before the answer, and no status follows.
        initiator.MustHaveNothingButThePing();
    }

    // A copy of 4 MiB within the unit, of zeros: each of its pieces is a trim.
    static uint SendCopy(Initiator initiator)
    {
        var list = new byte[16 + 28];
        (list[0], list[11], list[16], list[19]) = (1, 28, 2, 24);
        list.AsSpan(20, 4).Fill(0xFF);
        (list[26], list[42]) = (0x20, 0x40);
        return initiator.SendCommand(
            [0x83, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte)list.Length, 0, 0], (uint)list.Length, writes: true, immediate: list);
    }

    // It is in its first piece: one that has not begun yet would be given up before anybody waits for it.
    uint SendCopyThatWaits(Initiator initiator, TaskCompletionSource gate)
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        target.Device.BeforeWrite = _ =>
        {
            begun.TrySetResult();
            return new ValueTask(gate.Task);
        };
        var tag = SendCopy(initiator);
        Assert.True(begun.Task.Wait(Hangs));
        return tag;
    }

    [Fact]
    public void A_copy_is_aborted_between_two_pieces_and_other_commands_do_not_wait_for_it()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var initiator = target.LogIn();
        var tag = SendCopyThatWaits(initiator, gate);
        initiator.MustHaveNothingButThePing();
        initiator.SendTaskManagement(TaskManagementFunction.AbortTask, tag, initiator.CmdSN - 1);
        ReleaseOnceAborted(gate);
        Assert.Equal(TaskManagementResult.Complete, Result(initiator.Receive(Opcode.TaskManagementResponse)));
        Assert.Single(target.Device.Cleared);
        initiator.MustHaveNothingButThePing();
        target.Device.BeforeWrite = null;
        var again = SendCopy(initiator);
        Assert.Equal("", initiator.ReceiveResult().Sense);
        Assert.NotEqual(tag, again);
        Assert.Equal(1 + 8, target.Device.Cleared.Count);
    }

    [Fact]
    public void A_copy_ends_with_the_session_of_its_initiator()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var initiator = target.LogIn();
        SendCopyThatWaits(initiator, gate);
        initiator.MustHaveNothingButThePing();
        initiator.SendLogOut();
        Assert.True(SpinWait.SpinUntil(() => target.Front.Sessions.All(session => session.IsLeaving), Hangs));
        gate.SetResult();
        initiator.Receive(Opcode.ScsiResponse);
        initiator.Receive(Opcode.LogoutResponse);
        Assert.Single(target.Device.Cleared);
    }

    [Fact]
    public void A_task_that_is_done_cannot_be_aborted()
    {
        using var initiator = target.LogIn();
        initiator.Write(0, new byte[512]);
        var answer = initiator.ManageTasks(TaskManagementFunction.AbortTask, 1, initiator.CmdSN - 1);
        Assert.Equal(TaskManagementResult.NoSuchTask, Result(answer));
    }

    [Fact]
    public void A_task_set_is_aborted_for_its_own_initiator_and_cleared_for_all()
    {
        using var one = target.LogIn("iqn.2026-11.test:one", 1);
        using var two = target.LogIn("iqn.2026-11.test:two", 2);
        one.SendCommand(Initiator.Cdb(0x2A, 0, 1024), 524288, writes: true);
        one.Receive(Opcode.ReadyToTransfer);
        var other = two.SendCommand(Initiator.Cdb(0x2A, 0, 1024), 524288, writes: true);
        var r2t = ReadyToTransferPdu.Read(two.Receive(Opcode.ReadyToTransfer).Header);
        Assert.Equal(TaskManagementResult.Complete, Result(one.ManageTasks(TaskManagementFunction.AbortTaskSet)));
        two.SendDataOut(other, r2t.TargetTransferTag, 0, 0, new byte[524288 / 2], final: false);
        two.MustHaveNothingButThePing(); // Still alive.

        Assert.Equal(TaskManagementResult.Complete, Result(one.ManageTasks(TaskManagementFunction.ClearTaskSet)));
        two.SendDataOut(other, r2t.TargetTransferTag, 1, 524288 / 2, new byte[524288 / 2], final: true);
        two.MustHaveNothingButThePing();
        Assert.Equal("6/2F/00", two.Command(new byte[16]).Sense);
        Initiator.MustBeGood(one.Command(new byte[16]));
    }

    [Fact]
    public void A_reset_of_the_unit_ends_what_all_initiators_had_there()
    {
        using var one = target.LogIn("iqn.2026-11.test:one", 1);
        using var two = target.LogIn("iqn.2026-11.test:two", 2);
        Initiator.MustBeGood(two.Command([0x16]));
        Assert.Equal((byte)ScsiStatus.ReservationConflict, one.Command(new byte[16]).Header[3]);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        target.Device.BeforeRead = _ => new ValueTask(gate.Task);
        two.SendCommand(Initiator.Cdb(0x28, 0, 1), 512, reads: true);
        two.MustHaveNothingButThePing();
        one.SendTaskManagement(TaskManagementFunction.LogicalUnitReset);
        ReleaseOnceAborted(gate);
        Assert.Equal(TaskManagementResult.Complete, Result(one.Receive(Opcode.TaskManagementResponse)));
        two.MustHaveNothingButThePing();
        Assert.Equal("6/29/00", two.Command(new byte[16]).Sense);
        one.ClearAttention();
        Initiator.MustBeGood(one.Command(new byte[16]));
    }

    [Fact]
    public void A_second_reset_waits_for_what_the_first_one_is_ending()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var one = target.LogIn("iqn.2026-11.test:one", 1);
        using var two = target.LogIn("iqn.2026-11.test:two", 2);
        using var three = target.LogIn("iqn.2026-11.test:three", 3);
        target.Device.BeforeWrite = _ => new ValueTask(gate.Task);
        one.SendCommand(Initiator.Cdb(0x2A, 0, 1), 512, writes: true, immediate: new byte[512]);
        one.MustHaveNothingButThePing();
        two.SendTaskManagement(TaskManagementFunction.LogicalUnitReset);
        three.SendTaskManagement(TaskManagementFunction.LogicalUnitReset);
        try
        {
            ReleaseOnceAborted(gate, aborts: 2);
        }
        finally
        {
            gate.TrySetResult();
        }
        Assert.Equal(TaskManagementResult.Complete, Result(two.Receive(Opcode.TaskManagementResponse)));
        Assert.Equal(TaskManagementResult.Complete, Result(three.Receive(Opcode.TaskManagementResponse)));
        Assert.Single(target.Device.Writes);
        one.MustHaveNothingButThePing();
    }

    [Fact]
    public void A_reset_waits_for_a_write_that_its_connection_leaves_in_the_meantime()
    {
        using var isAborting = new ManualResetEventSlim();
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var one = target.LogIn("iqn.2026-11.test:one", 1);
        using var two = target.LogIn("iqn.2026-11.test:two", 2);
        two.SendCommand(Initiator.Cdb(0x2A, 8, 1024), 524288, writes: true);
        two.Receive(Opcode.ReadyToTransfer);
        target.Device.BeforeWrite = _ =>
        {
            isAborting.Wait(); // On the connection's own thread.
            return new ValueTask(gate.Task);
        };
        one.SendCommand(Initiator.Cdb(0x2A, 0, 1), 512, writes: true, immediate: new byte[512]);
        Assert.True(SpinWait.SpinUntil(() => target.Device.Calls == 1, Hangs));
        two.SendTaskManagement(TaskManagementFunction.LogicalUnitReset);
        Assert.True(SpinWait.SpinUntil(() => target.Device.IsWriteGivenUp, Hangs)); // It has come to the commands of others.
        isAborting.Set();
        try
        {
            ReleaseOnceAborted(gate);
        }
        finally
        {
            gate.TrySetResult();
        }
        Assert.Equal(TaskManagementResult.Complete, Result(two.Receive(Opcode.TaskManagementResponse)));
        Assert.Single(target.Device.Writes);
        one.MustHaveNothingButThePing();
    }

    [Fact]
    public void A_command_can_be_aborted_until_its_answer_has_its_place()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var initiator = target.LogIn();
        target.Device.BeforeWrite = _ => new ValueTask(gate.Task);
        target.Device.BeforeRead = _ => new ValueTask(gate.Task);
        initiator.SendCommand(Initiator.Cdb(0x2A, 0, 1), 512, writes: true, immediate: new byte[512]);
        initiator.SendCommand(Initiator.Cdb(0x28, 8, 1), 512, reads: true);
        initiator.MustHaveNothingButThePing();
        var session = Assert.Single(target.Server.Node.Sessions.All);
        using (session.Replies.Gate.EnterScope())
        {
            gate.SetResult();
            // Neither gets its place here, so neither may be out of reach, however long this lasts.
            Assert.False(SpinWait.SpinUntil(() => session.Tasks.Count < 2, TimeSpan.FromMilliseconds(300)));
        }
        Initiator.MustBeGood(initiator.ReceiveResult());
        Initiator.MustBeGood(initiator.ReceiveResult());
    }

    [Fact]
    public void A_warm_reset_keeps_sessions_and_a_cold_one_ends_them()
    {
        using var one = target.LogIn("iqn.2026-11.test:one", 1);
        using var two = target.LogIn("iqn.2026-11.test:two", 2);
        Assert.Equal(TaskManagementResult.Complete, Result(one.ManageTasks(TaskManagementFunction.TargetWarmReset)));
        one.ClearAttention();
        two.ClearAttention();
        Assert.Equal(TaskManagementResult.Complete, Result(one.ManageTasks(TaskManagementFunction.TargetColdReset)));
        Assert.True(one.IsClosed());
        Assert.True(two.IsClosed());
        target.MustServe();
    }

    [Fact]
    public void Other_functions_are_answered_as_not_supported()
    {
        using var initiator = target.LogIn();
        Assert.Equal(TaskManagementResult.ReassignNotSupported, Result(initiator.ManageTasks(TaskManagementFunction.TaskReassign, 1)));
        Assert.Equal(TaskManagementResult.NotSupported, Result(initiator.ManageTasks(TaskManagementFunction.ClearAca)));
        var elsewhere = initiator.ManageTasks(TaskManagementFunction.LogicalUnitReset, lun: [0, 9, 0, 0, 0, 0, 0, 0]);
        Assert.Equal(TaskManagementResult.NoSuchLun, Result(elsewhere));
    }

    [Fact]
    public void A_bug_of_a_device_fails_its_command_and_nothing_else()
    {
        target.Device.BeforeRead = _ => throw new NotSupportedException("a bug");
        using var initiator = target.LogIn();
        Assert.Equal("4/44/00", initiator.Command(Initiator.Cdb(0x28, 0, 1), 512).Sense);
        target.Device.BeforeRead = null;
        initiator.Read(0, 1);
        Assert.Contains(target.Reports, line => line.Contains("a bug", StringComparison.Ordinal));
    }
}
