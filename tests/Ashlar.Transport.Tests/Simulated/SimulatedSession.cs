using System.Net;
using Ashlar.Simulation;

namespace Ashlar.Transport.Tests.Simulated;

/// <summary>Plays sessions of simulated clients with a handler, on the thread that calls.</summary>
/// <param name="clock">The clock of server and clients.</param>
/// <param name="handler">The protocol.</param>
/// <param name="buffers">The memory of all clients.</param>
sealed class SimulatedSession(SimulatedClock clock, IConnectionHandler handler, BufferPool buffers)
{
    static readonly IPEndPoint Here = new(IPAddress.Loopback, 1);

    long connections;

    /// <summary>The limits that clients have.</summary>
    public ListenerOptions Options { get; } = new() { EndPoint = Here, Name = "simulated", TimeProvider = clock };

    /// <summary>The most that clients held of the memory whenever the server waited for one or sent to one.</summary>
    public long MostRentedBytes { get; private set; }

    /// <summary>Notes what clients hold; clients call it.</summary>
    public void Observe() => MostRentedBytes = Math.Max(MostRentedBytes, buffers.RentedBytes);

    /// <summary>Plays a session to its end.</summary>
    /// <returns>Why the server cut the client off; null when it did not, or in an orderly way.</returns>
    public string? Play(SimulatedClient client)
    {
        using var connection = new Connection(client, Here, Here, ++connections, Options);
        try
        {
            handler.Serve(connection, CancellationToken.None);
            connection.Linger();
            return null;
        }
        catch (ConnectionException e)
        {
            return e.Message;
        }
    }

    /// <summary>Plays sessions each of which begins when the one before it first has to be waited for, and in the end another.</summary>
    /// <returns>Why each was cut off, the first that began at the end.</returns>
    public IReadOnlyList<string?> PlayNested(int count, Func<Action, SimulatedClient> next, Action last)
    {
        var ends = new List<string?>();
        void Begin(int left)
        {
            if (left == 0) last();
            else ends.Add(Play(next(() => Begin(left - 1))));
        }

        // A stack for all of them.
        Exception? failure = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    Begin(count);
                }
                catch (Exception e)
                {
                    failure = e;
                }
            },
            maxStackSize: 256 << 20);
        thread.Start();
        thread.Join();
        return failure is null ? ends : throw new InvalidOperationException("A session failed.", failure);
    }
}
