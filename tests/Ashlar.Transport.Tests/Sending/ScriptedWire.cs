namespace Ashlar.Transport.Tests.Sending;

/// <summary>A wire whose other side takes as many bytes as the test lets it.</summary>
sealed class ScriptedWire : IWire
{
    readonly object gate = new();
    readonly List<byte> taken = [];
    long room;
    bool isBroken;
    int waiting;

    public bool HasInput => false;

    /// <summary>What the other side has taken.</summary>
    public byte[] Taken
    {
        get
        {
            lock (gate) return [.. taken];
        }
    }

    /// <summary>Lets the other side take so many bytes more.</summary>
    public void Take(long byteCount)
    {
        lock (gate)
        {
            room += byteCount;
            Monitor.PulseAll(gate);
        }
    }

    public void Break()
    {
        lock (gate)
        {
            isBroken = true;
            Monitor.PulseAll(gate);
        }
    }

    /// <summary>Waits until some thread waits for the other side.</summary>
    public void MustBeWaitedFor()
    {
        lock (gate)
            while (waiting == 0) Assert.True(Monitor.Wait(gate, Echo.ListenerFixture.Limit), "nobody waits");
    }

    public void MustHaveTaken(long byteCount)
    {
        lock (gate)
            while (taken.Count < byteCount) Assert.True(Monitor.Wait(gate, Echo.ListenerFixture.Limit), $"only {taken.Count} bytes were taken");
    }

    public int TrySend(ReadOnlySpan<byte> data)
    {
        lock (gate)
        {
            if (isBroken) throw new WireException("torn");
            var sent = (int)Math.Min(room, data.Length);
            room -= sent;
            taken.AddRange(data[..sent]);
            Monitor.PulseAll(gate);
            return sent;
        }
    }

    public bool WaitUntilSendable(int timeoutMilliseconds)
    {
        lock (gate)
        {
            waiting++;
            Monitor.PulseAll(gate);
            var inTime = true;
            while (room == 0 && !isBroken && inTime) inTime = Monitor.Wait(gate, timeoutMilliseconds);
            waiting--;
            return inTime;
        }
    }

    public int Receive(Span<byte> destination, int timeoutMilliseconds) => IWire.TimedOut;

    public void AcknowledgeNow()
    {
    }

    public void EndInput()
    {
    }

    public void EndOutput()
    {
    }

    public void Dispose() => Break();
}
