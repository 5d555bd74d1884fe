using System.Globalization;
using System.Text;
using Ashlar.Storage;
using Ashlar.Volumes;

namespace Ashlar.Server;

/// <summary>
/// Takes snapshots of the volumes of a pool when they are due, and deletes those of its own that need not stay. After any time without it
/// one snapshot is taken, not those that were missed.
/// </summary>
/// <remarks>
/// <para>Invariant: only what it took it deletes, known by a note beside the snapshot, not by the name. Crash order: note beside the volume
/// what the snapshot will be called; take it; note beside the snapshot, and forget the first. A snapshot of the noted name is its own: the
/// name was free when it was noted.</para>
/// <para>What clients or exports read, and what clones need, stays until the next look.</para>
/// </remarks>
sealed class SnapshotScheduler : IAsyncDisposable
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    /// <summary>Beside a volume: its schedule.</summary>
    public const string ScheduleNote = "snapshots";

    /// <summary>Beside a snapshot: a schedule took it. Empty.</summary>
    public const string ScheduledNote = "scheduled";

    /// <summary>Beside a volume: what the snapshot that is being taken is called.</summary>
    const string TakingNote = "snapshot-taking";

    readonly ServedPool owner;
    readonly StoragePool pool;
    readonly TimeProvider timeProvider;
    readonly Action<LogEntry> report;
    readonly ITimer timer;
    readonly SemaphoreSlim turn = new(1, 1); // One look at a time.
    readonly Dictionary<Guid, string> failures = []; // What was told last, by volume. In the turn.
    bool isDisposed; // In the turn.

    public SnapshotScheduler(ServedPool owner, StoragePool pool, TimeProvider timeProvider, Action<LogEntry> report)
    {
        (this.owner, this.pool, this.timeProvider, this.report) = (owner, pool, timeProvider, report);
        timer = timeProvider.CreateTimer(
            static scheduler => _ = ((SnapshotScheduler)scheduler!).LookUnlessBusyAsync(), this, Interval, Interval);
    }

    /// <summary>Waits for the look that is under way.</summary>
    public async ValueTask DisposeAsync()
    {
        await timer.DisposeAsync();
        await turn.WaitAsync();
        isDisposed = true;
        turn.Release();
    }

    /// <summary>Looks now, or after the look that is under way.</summary>
    public async Task LookAsync()
    {
        await turn.WaitAsync();
        try
        {
            if (isDisposed) return;
            foreach (var (id, content) in pool.ListNotes(ScheduleNote))
            {
                if (pool.ListVolumes().FirstOrDefault(each => each.Id == id) is { IsRestoring: false } volume)
                    await TryAsync(volume, SnapshotRetention.Read(content));
            }
        }
        catch (Exception e) when (e is AshlarException or ObjectDisposedException)
        {
            // The pool is being closed, or has failed, which it says itself.
        }
        finally
        {
            turn.Release();
        }
    }

    // A look that takes longer than the interval is not followed by a queue of others.
    Task LookUnlessBusyAsync() => turn.CurrentCount == 0 ? Task.CompletedTask : LookAsync();

    async Task TryAsync(VolumeInfo volume, SnapshotRetention retention)
    {
        try
        {
            await KeepAsync(volume, retention);
            failures.Remove(volume.Id);
        }
        catch (AshlarException e)
        {
            // Once for each reason: it will be tried again and again.
            if (failures.TryGetValue(volume.Id, out var told) && told == e.Message) return;
            failures[volume.Id] = e.Message;
            report(SnapshotEvents.ScheduleFailed(owner.Name, volume.Name, e.Message));
        }
    }

    async Task KeepAsync(VolumeInfo volume, SnapshotRetention retention)
    {
        await FinishTakingAsync(volume);
        var own = ListOwn(volume);
        var now = timeProvider.GetUtcNow();
        if (retention.IsDue(own.Count == 0 ? null : own.Max(each => each.CreatedAt), now))
        {
            await TakeAsync(volume, now);
            own = ListOwn(volume);
        }
        var kept = retention.Kept(own.Select(each => each.CreatedAt));
        foreach (var old in own)
        {
            if (kept.Contains(old.CreatedAt) || old.Clones.Count > 0 || owner.IsRead(old)) continue;
            await owner.DeleteSnapshotsAsync(volume.Name, [old.Name], force: false, SnapshotEvents.Schedule);
            await pool.WriteNoteAsync(old.Id, ScheduledNote, null);
        }
    }

    async Task TakeAsync(VolumeInfo volume, DateTimeOffset now)
    {
        var name = FreeName(volume, now);
        await pool.WriteNoteAsync(volume.Id, TakingNote, Encoding.ASCII.GetBytes(name));
        await owner.TakeSnapshotsAsync([new(volume.Name, name)], SnapshotEvents.Schedule);
        await FinishTakingAsync(volume);
    }

    async Task FinishTakingAsync(VolumeInfo volume)
    {
        if (pool.ReadNote(volume.Id, TakingNote) is not { } noted) return;
        if (pool.FindSnapshot(volume.Name, Encoding.ASCII.GetString(noted)) is { } taken)
            await pool.WriteNoteAsync(taken.Id, ScheduledNote, []);
        await pool.WriteNoteAsync(volume.Id, TakingNote, null);
    }

    // By UTC. Another of that name is somebody else's.
    string FreeName(VolumeInfo volume, DateTimeOffset now)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"auto-{now.UtcDateTime:yyyyMMdd't'HHmmss'z'}");
        for (var i = 2; ; i++)
        {
            var candidate = i == 2 ? name : string.Create(CultureInfo.InvariantCulture, $"{name}-{i - 1}");
            if (pool.FindSnapshot(volume.Name, candidate) is null) return candidate;
        }
    }

    List<SnapshotInfo> ListOwn(VolumeInfo volume) =>
        [.. pool.ListSnapshots(volume.Name).Where(each => !each.IsDeleted && pool.ReadNote(each.Id, ScheduledNote) is not null)];
}
