using System.Net.Sockets;

namespace Ashlar.Nvme.Bench;

/// <summary>
/// A connection with blocking calls. What is sent is gathered until more is wanted of the other side than it has sent: so both protocols,
/// and both ends, spend the same system calls on the same work.
/// </summary>
sealed class Wire(Socket socket) : IDisposable
{
    const int InputBytes = 256 << 10, OutputBytes = 256 << 10;

    /// <summary>What is longer is sent, and received, from and to where it is.</summary>
    const int DirectBytes = 32 << 10;

    readonly byte[] input = new byte[InputBytes];
    readonly byte[] output = new byte[OutputBytes];
    int start;
    int end;
    int gathered;

    /// <summary>Whether there is input that was not taken.</summary>
    public bool HasInput => end > start;

    /// <summary>Takes input, after all that was gathered is sent.</summary>
    public void Receive(Span<byte> target)
    {
        while (!target.IsEmpty)
        {
            if (!HasInput)
            {
                Send();
                if (target.Length >= DirectBytes)
                {
                    target = target[Some(target)..];
                    continue;
                }
                start = 0;
                end = Some(input);
            }
            var taken = Math.Min(end - start, target.Length);
            input.AsSpan(start, taken).CopyTo(target);
            start += taken;
            target = target[taken..];
        }
    }

    /// <summary>Whether something is there to be received; false at the end of the connection.</summary>
    public bool Wait()
    {
        if (HasInput) return true;
        Send();
        start = 0;
        end = socket.Receive(input);
        return end > 0;
    }

    /// <summary>Room for what is to be sent next; it counts as gathered.</summary>
    public Span<byte> Add(int byteCount)
    {
        if (output.Length - gathered < byteCount) Send();
        gathered += byteCount;
        return output.AsSpan(gathered - byteCount, byteCount);
    }

    /// <summary>Gathers a copy, or sends what is long at once.</summary>
    public void Add(ReadOnlySpan<byte> data)
    {
        if (data.Length < DirectBytes)
        {
            data.CopyTo(Add(data.Length));
            return;
        }
        Send();
        SendAll(data);
    }

    public void Send()
    {
        if (gathered == 0) return;
        SendAll(output.AsSpan(0, gathered));
        gathered = 0;
    }

    public void Dispose() => socket.Dispose();

    void SendAll(ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty) data = data[socket.Send(data)..];
    }

    int Some(Span<byte> target) => socket.Receive(target) is > 0 and var received
        ? received
        : throw new IOException("the other side has closed the connection");
}
