using System.Buffers;
using Ashlar.Storage;
using Ashlar.Transport;

namespace Ashlar.Iscsi;

/// <summary>
/// What a session sends, in order: gathers replies while further requests wait, and numbers them. The connection's thread
/// gathers; threads that complete a command later send at once.
/// </summary>
/// <remarks>
/// Everything that numbers or sends happens under <see cref="Gate"/>, so that StatSN grows in the order of the wire.
/// Bytes from <c>tail</c> on belong to the connection's thread alone: a device may read into them without the lock.
/// </remarks>
sealed class ReplyStream(Connection connection, CommandWindow window, uint firstStatSN) : IDisposable
{
    /// <summary>Replies up to this size are gathered; larger ones are sent from a buffer of their own.</summary>
    public const int MaxGatheredBytes = 32 * 1024;

    const int BufferBytes = 128 * 1024;

    byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
    int head;
    int tail;
    uint statSN = firstStatSN;

    /// <summary>Held while a PDU is numbered and sent, or gathered.</summary>
    public Lock Gate { get; } = new();

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
    /// Room behind what is gathered, to be filled and then <see cref="Commit"/>ted. Connection's thread only.
    /// </summary>
    public Memory<byte> Reserve(int lengthBytes)
    {
        Invariant.Require(lengthBytes <= MaxGatheredBytes);
        if (buffer.Length - tail < lengthBytes)
            using (Gate.EnterScope()) SendGathered();
        return buffer.AsMemory(tail, lengthBytes);
    }

    /// <summary>Gathers the first bytes of what was reserved. Under <see cref="Gate"/>, connection's thread only.</summary>
    public void Commit(int lengthBytes) => tail += lengthBytes;

    /// <summary>
    /// Gives away the buffer, because a device still reads into the reserved room; what is gathered is sent first.
    /// Connection's thread only.
    /// </summary>
    /// <returns>The buffer, which the caller returns to the pool, and where the reserved room starts in it.</returns>
    public (byte[] Buffer, int Offset) Detach()
    {
        var replacement = ArrayPool<byte>.Shared.Rent(BufferBytes);
        using (Gate.EnterScope())
        {
            Flush();
            var detached = (buffer, tail);
            (buffer, head, tail) = (replacement, 0, 0);
            return detached;
        }
    }

    /// <summary>Gathers a PDU. Under <see cref="Gate"/>, connection's thread only.</summary>
    public void Gather(ReadOnlySpan<byte> pdu)
    {
        if (buffer.Length - tail < pdu.Length) SendGathered();
        if (pdu.Length > buffer.Length)
        {
            connection.Send(pdu);
            return;
        }
        pdu.CopyTo(buffer.AsSpan(tail));
        tail += pdu.Length;
    }

    /// <summary>Sends a PDU, and before it what is gathered. Under <see cref="Gate"/>.</summary>
    public void Send(ReadOnlySpan<byte> pdu)
    {
        Flush();
        connection.Send(pdu);
    }

    /// <summary>Sends what is gathered. Connection's thread only.</summary>
    public void SendAll()
    {
        if (Volatile.Read(ref tail) == Volatile.Read(ref head)) return;
        using (Gate.EnterScope()) SendGathered();
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(buffer);

    void SendGathered()
    {
        Flush();
        head = tail = 0;
    }

    void Flush()
    {
        if (head == tail) return;
        connection.Send(buffer.AsSpan(head, tail - head));
        head = tail;
    }
}
