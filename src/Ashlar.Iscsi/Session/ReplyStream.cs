using Ashlar.Transport;

namespace Ashlar.Iscsi;

/// <summary>
/// What a session sends, in order: gathers replies while further requests wait, and numbers them. The connection's thread
/// gathers; threads that complete a command later hand theirs over, behind what is gathered.
/// </summary>
/// <remarks>
/// Everything that numbers, and takes a place in the order, happens under <see cref="Gate"/>, so that StatSN grows in the
/// order of the wire. Nothing is sent under it: nobody waits there for an initiator that does not read.
/// </remarks>
sealed class ReplyStream(Connection connection, ReplyBatch batch, CommandWindow window, uint firstStatSN) : IDisposable
{
    /// <summary>Replies up to this size are gathered; larger ones are sent from a buffer of their own.</summary>
    public const int MaxGatheredBytes = 32 * 1024;

    uint statSN = firstStatSN;

    /// <summary>Held while a PDU is numbered and gets its place.</summary>
    public Lock Gate => batch.Gate;

    /// <summary>Numbers of a PDU that carries a status; the status is counted. Under <see cref="Gate"/>.</summary>
    public TargetNumbers CountStatus()
    {
        window.Advance();
        return new(statSN++, window.ExpCmdSN, window.MaxCmdSN);
    }

    /// <summary>Numbers of a PDU without a status. Under <see cref="Gate"/>.</summary>
    public TargetNumbers Numbers()
    {
        window.Advance();
        return new(statSN, window.ExpCmdSN, window.MaxCmdSN);
    }

    /// <summary>
    /// Room behind what is gathered, to be filled and then committed, or null. Connection's thread only, without the gate.
    /// </summary>
    public Memory<byte>? TryReserve(int lengthBytes) => batch.TryReserve(lengthBytes);

    /// <summary>Gathers the first bytes of what was reserved. Under <see cref="Gate"/>, connection's thread only.</summary>
    public void Commit(int lengthBytes) => batch.Commit(lengthBytes);

    /// <summary>
    /// Gives away the buffer, because a device still reads into the reserved room. Connection's thread only, without the gate.
    /// </summary>
    public PooledBuffer Detach(out int reservedAt) => batch.Detach(out reservedAt);

    /// <summary>Gathers a PDU. Under <see cref="Gate"/>, connection's thread only.</summary>
    public void Gather(ReadOnlySpan<byte> pdu) => batch.Add(pdu);

    /// <summary>Puts a copy of a PDU in its place; <see cref="SendQueued"/> sends it. Under <see cref="Gate"/>, any thread.</summary>
    public void QueueCopy(ReadOnlySpan<byte> pdu)
    {
        batch.Queue();
        connection.EnqueueCopy(pdu);
    }

    /// <summary>
    /// Puts PDUs in their place, which stay as they are until <see cref="SendAll"/>. Under <see cref="Gate"/>, connection's thread only.
    /// </summary>
    public void Queue(ReadOnlyMemory<byte> pdus)
    {
        batch.Queue();
        connection.Enqueue(pdus);
    }

    /// <summary>
    /// Puts PDUs in their place, which stay as they are until the task ends; <see cref="SendQueued"/> sends them. Under
    /// <see cref="Gate"/>, any thread.
    /// </summary>
    public ValueTask QueueAsync(ReadOnlyMemory<byte> pdus)
    {
        batch.Queue();
        return connection.EnqueueAsync(pdus);
    }

    /// <summary>Sends what has its place, as far as the initiator takes it, and never waits. Any thread, without the gate.</summary>
    public void SendQueued() => connection.SendQueued();

    /// <summary>Sends what is gathered, waiting for the initiator where need be. Connection's thread only, without the gate.</summary>
    public void SendAll() => batch.Send();

    public void Dispose() => batch.Dispose();
}
