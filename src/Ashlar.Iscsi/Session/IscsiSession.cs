using Ashlar.Blocks;
using Ashlar.Scsi;
using Ashlar.Storage;
using Ashlar.Transport;

namespace Ashlar.Iscsi;

/// <summary>
/// An initiator that has logged in: one connection (MaxConnections=1), its commands, and what it may reach.
/// </summary>
sealed class IscsiSession : IDisposable
{
    const long MaxRunningBytes = 16L << 20;

    readonly Connection connection;
    readonly ManualResetEventSlim ended = new();
    long inlineSteps;
    volatile IscsiTask? inline;

    public IscsiSession(
        Connection connection, SessionParameters parameters, SessionKey key, ushort cid, IscsiTarget? target, ScsiNexus? nexus,
        uint firstCmdSN, uint firstStatSN, BufferShare buffers)
    {
        this.connection = connection;
        Parameters = parameters;
        Key = key;
        Cid = cid;
        Target = target;
        Nexus = nexus;
        Window = new CommandWindow(firstCmdSN, CommandWindow.DefaultDepth);
        Buffers = buffers;
        Replies = new ReplyStream(connection, new(connection, buffers, Running), Window, firstStatSN);
        Solicitor = new DataSolicitor(connection, this);
        Grants = new WriteGrants(buffers, task => Solicitor.Solicit(task, runsElsewhere: true), Replies.SendQueued);
    }

    public SessionParameters Parameters { get; }

    public SessionKey Key { get; }

    /// <summary>Who the initiator is.</summary>
    public ClientIdentity Identity => new(ClientProtocol.Iscsi, Parameters.InitiatorName, $"{connection.RemoteEndPoint}")
    {
        Host = Parameters.InitiatorName,
        User = Parameters.User,
        Port = Key.PortalGroupTag,
    };

    public ushort Cid { get; }

    /// <summary>Identifies the session to the initiator; given when it is registered.</summary>
    public ushort Tsih { get; set; }

    /// <summary>Null in a discovery session.</summary>
    public IscsiTarget? Target { get; }

    /// <summary>Null in a discovery session.</summary>
    public ScsiNexus? Nexus { get; }

    public CommandWindow Window { get; }

    public TaskSet Tasks { get; } = new();

    /// <summary>Commands that run elsewhere, and replies that the initiator has not taken yet.</summary>
    public InFlightRequests Running { get; } = new(TaskSet.MaxTasks, MaxRunningBytes);

    public ReplyStream Replies { get; }

    public BufferShare Buffers { get; }

    public DataSolicitor Solicitor { get; }

    /// <summary>Writes that wait for memory before their data is asked for.</summary>
    public WriteGrants Grants { get; }

    /// <summary>Cuts the connection, from any thread. The session ends once nothing of it runs.</summary>
    public void Cut() => connection.Dispose();

    public bool WaitForEnd(TimeSpan limit) => ended.Wait(limit);

    /// <summary>The connection's thread begins a command that it executes itself.</summary>
    /// <returns>To be disposed of when the command has ended, or goes on elsewhere.</returns>
    public InlineStep BeginInline(IscsiTask task)
    {
        inline = task;
        Invariant.Require((Interlocked.Increment(ref inlineSteps) & 1) != 0); // One command at a time, or a reset waits for the wrong one.
        return new(this);
    }

    /// <summary>
    /// Lets the command that the connection's thread executes now, if it is one of the units that are meant, give up what it waits for,
    /// and waits until it has ended or is in <see cref="Tasks"/>.
    /// </summary>
    public void EndInlineCommand(Func<LogicalUnit, bool> isMeant)
    {
        var seen = Volatile.Read(ref inlineSteps);
        if ((seen & 1) == 0 || inline is not { Unit: { } unit } task || !isMeant(unit)) return;
        // Tasks are used again: what was read is of the step that was seen only if that still goes on.
        if (Volatile.Read(ref inlineSteps) != seen) return;
        task.Command.Abort();
        var spin = default(SpinWait);
        while (Volatile.Read(ref inlineSteps) == seen) spin.SpinOnce();
    }

    /// <summary>Waits until nothing of the session runs any more; its connection takes no further command.</summary>
    public void Quiesce()
    {
        foreach (var task in Tasks.TakeWaiting())
        {
            Grants.Remove(task);
            task.End();
        }
        Running.WaitForAll();
    }

    void EndInline()
    {
        Invariant.Require((Interlocked.Increment(ref inlineSteps) & 1) == 0);
        inline = null;
    }

    /// <summary>The session is over: another may take its place.</summary>
    public void Dispose()
    {
        Replies.Dispose();
        Buffers.Dispose();
        ended.Set();
    }

    /// <summary>While it lasts, a reset by another session waits for the command.</summary>
    public readonly ref struct InlineStep(IscsiSession session)
    {
        public void Dispose() => session.EndInline();
    }
}

/// <summary>What makes a session the same one again: initiator port and target port, which is a portal group (RFC 7143, 6.3.5).</summary>
readonly record struct SessionKey(string InitiatorName, ulong Isid, string TargetName, int PortalGroupTag);
