using Ashlar.Storage;

namespace Ashlar.Blocks;

/// <summary>
/// What stands between protocols and a volume, once per volume: the order of overlapping changes, reservations, limits
/// of rate, who is attached and what they do, and the exchange of the device below. Clients of whatever protocol come as sessions.
/// </summary>
/// <remarks>
/// A request that meets nothing of this costs two atomic additions on its session's own counter and two short latches of
/// the <see cref="RangeLocks"/>; it allocates nothing. Without limits of rate it reads one field to know that there are none.
/// </remarks>
public sealed class VolumeFront : IAsyncDisposable
{
    // Of each client only the last failures are kept; what failed is counted for all.
    const int LogCapacityPerSession = 16;

    readonly DeviceSlot slot;
    readonly RangeLocks changes = new();
    readonly BlockDriverOptions driverOptions;
    readonly SemaphoreSlim administration = new(1, 1); // One exchange, or the end, at a time.
    readonly Lock gate = new();
    readonly List<ClientSession> sessions = [];
    readonly RateLimiter rates;
    RateLimits limits = RateLimits.None; // Under the gate.
    volatile RateLimiter? limiter; // Null while there are no limits.
    SharedCompletion? paused; // Ends when requests go on. Under the gate.
    FenceReason? closedFor;       // Under the gate.

    /// <summary>Puts a front before a device.</summary>
    /// <param name="device">The device; its block size must not change.</param>
    /// <param name="timeProvider">The clock; null for the system's.</param>
    /// <param name="reservations">Where reservations are kept that outlive the server; null for nowhere.</param>
    public VolumeFront(IBlockDevice device, TimeProvider? timeProvider = null, IReservationStore? reservations = null)
    {
        Access = new VolumeAccess(reservations);
        slot = new DeviceSlot(device);
        TimeProvider = timeProvider ?? TimeProvider.System;
        rates = new RateLimiter(TimeProvider);
        driverOptions = new() { LogCapacity = LogCapacityPerSession, TimeProvider = TimeProvider };
    }

    /// <summary>Called when something happens, on the thread where it happens; must not block.</summary>
    public event EventHandler<VolumeEventArgs>? Changed;

    /// <summary>The device below now. Requests go through sessions.</summary>
    public IBlockDevice Device => slot.Device;

    /// <summary>Its name.</summary>
    public string Name => Device.Name;

    /// <summary>Its size and shape.</summary>
    public BlockGeometry Geometry => Device.Geometry;

    /// <summary>The clock by which its limits hold.</summary>
    public TimeProvider TimeProvider { get; }

    /// <summary>What clients have said about who may use it.</summary>
    public VolumeAccess Access { get; }

    /// <summary>
    /// What all clients together may ask of it in a second. Takes effect at once, also on requests that wait. Flushes are not limited.
    /// </summary>
    public RateLimits Limits
    {
        get
        {
            lock (gate) return limits;
        }

        set
        {
            lock (gate)
            {
                if (value == limits) return;
                limits = value;
                // Order: who still finds the limiter when there are no limits any more is let through by it.
                if (value.IsNone) limiter = null;
                rates.Set(value);
                if (!value.IsNone) limiter = rates;
            }
        }
    }

    /// <summary>Requests that wait because of <see cref="Limits"/>; they are not under way yet.</summary>
    public int WaitingCount => rates.WaitingCount;

    /// <summary>Whether no client is let in any more.</summary>
    public bool IsClosed
    {
        get
        {
            lock (gate) return closedFor is not null;
        }
    }

    /// <summary>Who is attached, in the order in which they came.</summary>
    public IReadOnlyList<ClientSession> Sessions
    {
        get
        {
            lock (gate) return [.. sessions];
        }
    }

    /// <summary>Lets a client in. Its session ends when it is disposed, after its last request.</summary>
    /// <param name="client">Who it is.</param>
    /// <param name="isReadOnly">Whether it may only read.</param>
    /// <exception cref="SessionFencedException">The volume is closed to clients.</exception>
    public ClientSession Attach(ClientIdentity client, bool isReadOnly = false)
    {
        var driver = new BlockDriver(slot, changes, driverOptions);
        var session = new ClientSession(this, client, driver, TimeProvider.GetUtcNow(), isReadOnly);
        lock (gate)
        {
            if (closedFor is { } reason) throw new SessionFencedException(Name, reason);
            sessions.Add(session);
            if (paused is not null) _ = session.ShutAsync(RequestGate.Paused);
        }
        Report(new(VolumeEventKind.Attached, session));
        return session;
    }

    /// <summary>
    /// Exchanges the device: those requests that are under way are waited for, and those that come meanwhile wait. The old
    /// device is the caller's from then on.
    /// </summary>
    /// <param name="exchange">
    /// Gets the old device when nothing is under way, and returns the one to go on with. When it fails, the old one goes on.
    /// </param>
    /// <exception cref="ArgumentException">The new device has other blocks, or fewer. The old one goes on.</exception>
    public async Task SwapAsync(Func<IBlockDevice, ValueTask<IBlockDevice>> exchange)
    {
        await administration.WaitAsync().ConfigureAwait(false);
        try
        {
            var before = Geometry;
            await PauseAsync(static _ => true).ConfigureAwait(false);
            try
            {
                var next = await exchange(Device).ConfigureAwait(false);
                CheckSuccessor(before, next);
                slot.Device = next;
            }
            finally
            {
                Resume();
            }
            if (Geometry.BlockCount != before.BlockCount) Report(new(VolumeEventKind.CapacityChanged));
        }
        finally
        {
            administration.Release();
        }
    }

    /// <summary>
    /// Waits until nothing is under way any more that registrants asked for before the call: what a preemption has to promise whoever
    /// goes on after it. What they ask for later finds that they are not registered.
    /// </summary>
    public async Task DrainAsync(IReadOnlyCollection<Registrant> registrants)
    {
        await administration.WaitAsync().ConfigureAwait(false);
        try
        {
            try
            {
                await PauseAsync(session => registrants.Contains(session.Registrant)).ConfigureAwait(false);
            }
            finally
            {
                Resume();
            }
        }
        finally
        {
            administration.Release();
        }
    }

    /// <summary>
    /// Closes the volume to clients for good: their requests fail from now on, and those under way are waited for.
    /// </summary>
    /// <param name="reason">What clients are told.</param>
    /// <param name="evenIfInUse">Whether clients may be attached.</param>
    /// <returns>False when clients are attached and may not be; nothing has changed then.</returns>
    public async Task<bool> CloseAsync(FenceReason reason, bool evenIfInUse)
    {
        await administration.WaitAsync().ConfigureAwait(false);
        try
        {
            ClientSession[] all;
            lock (gate)
            {
                if (sessions.Count > 0 && !evenIfInUse) return false;
                closedFor ??= reason;
                all = [.. sessions];
            }
            await Task.WhenAll(all.Select(session => session.FenceAsync(reason))).ConfigureAwait(false);
        }
        finally
        {
            administration.Release();
        }
        if (reason == FenceReason.VolumeDeleted) Report(new(VolumeEventKind.Deleted));
        return true;
    }

    /// <summary>Tells those who listen. What only the owner of the device can know, the owner reports.</summary>
    public void Report(VolumeEventArgs what) => Changed?.Invoke(this, what);

    /// <summary>Closes the device.</summary>
    public ValueTask DisposeAsync()
    {
        rates.Dispose();
        return Device.DisposeAsync();
    }

    /// <summary>What requests have to pass; null while there are no limits.</summary>
    internal RateLimiter? Limiter => limiter;

    /// <summary>Ends when requests go on, at once where they do.</summary>
    internal ValueTask WhenResumed()
    {
        lock (gate) return paused?.Task ?? ValueTask.CompletedTask;
    }

    internal void Detach(ClientSession session)
    {
        lock (gate) Invariant.Require(sessions.Remove(session));
        Access.Release(session);
        Report(new(VolumeEventKind.Detached, session));
    }

    Task PauseAsync(Func<ClientSession, bool> isMeant)
    {
        lock (gate)
        {
            Invariant.Require(paused is null);
            paused = new SharedCompletion();
            return Task.WhenAll(sessions.Where(isMeant).Select(session => session.ShutAsync(RequestGate.Paused)).ToArray());
        }
    }

    void Resume()
    {
        SharedCompletion over;
        lock (gate)
        {
            Invariant.Require(paused is not null);
            over = paused;
            paused = null;
            foreach (var session in sessions) session.Resume();
        }
        over.SetResult();
    }

    static void CheckSuccessor(BlockGeometry before, IBlockDevice next)
    {
        var geometry = next.Geometry;
        if (geometry.BlockSizeBytes == before.BlockSizeBytes && geometry.BlockCount >= before.BlockCount) return;
        throw new ArgumentException(
            $"{next.Name} has {geometry.BlockCount} blocks of {geometry.BlockSizeBytes} bytes and cannot take the place of "
            + $"{before.BlockCount} blocks of {before.BlockSizeBytes} bytes.",
            nameof(next));
    }
}
