using System.Collections.Immutable;
using Ashlar.Storage;

namespace Ashlar.Blocks;

/// <summary>
/// The persistent reservations of a volume (SPC-4, 5.12; NVM Express 2.0, 8.19): one state, whatever protocol registrants come by, which
/// outlives their sessions, and the server where they ask for that.
/// </summary>
/// <remarks>
/// Order of a change: it is stored, where it is to outlive the server; then it binds requests; then registrants are told, and the caller
/// answers. A crash in between leaves what was, or what was asked for and not answered yet.
/// </remarks>
public sealed class PersistentReservations
{
    readonly Lock gate = new();
    readonly IReservationStore? store;
    readonly Action changed;
    volatile ReservationState state;

    internal PersistentReservations(IReservationStore? store, Action changed)
    {
        this.store = store;
        this.changed = changed;
        state = store?.Load() ?? ReservationState.None;
        Invariant.Require(state.FindProblem() is null);
    }

    /// <summary>Called under no lock when registrants have to be told something.</summary>
    public event EventHandler<ReservationNoticeEventArgs>? Noticed;

    /// <summary>The state now.</summary>
    public ReservationState State => state;

    /// <summary>Whether reservations can outlive the server.</summary>
    public bool CanPersist => store is not null;

    /// <summary>Registers, changes a key, or ends a registration and what it holds.</summary>
    /// <param name="who">Who asks.</param>
    /// <param name="key">The key that it has; 0 where it has none.</param>
    /// <param name="newKey">The key that it is to have; 0 for none.</param>
    /// <param name="ignoreKey">Whether it need not know the key that it has.</param>
    /// <param name="persists">Whether the state is to outlive the server from now on; null to leave that as it is.</param>
    /// <exception cref="StorageException">It cannot be stored; nothing has changed.</exception>
    public ReservationOutcome Register(Registrant who, ulong key, ulong newKey, bool ignoreKey, bool? persists)
    {
        ArgumentNullException.ThrowIfNull(who);
        ReservationNoticeEventArgs? notice = null;
        lock (gate)
        {
            var now = state;
            var mine = now.Find(who);
            if (!ignoreKey && key != (mine?.Key ?? 0)) return ReservationOutcome.Conflict;
            if (mine is null && newKey == 0) return ReservationOutcome.Done;
            if (mine is null && now.Registrations.Length >= ReservationState.MaxRegistrations) return ReservationOutcome.Full;
            var next = now with { Generation = now.Generation + 1, IsPersistent = store is not null && (persists ?? now.IsPersistent) };
            if (mine is null) next = next with { Registrations = now.Registrations.Add(new(who, newKey)) };
            else if (newKey != 0) next = next with { Registrations = now.Registrations.Replace(mine, mine with { Key = newKey }) };
            else (next, notice) = Leave(next, mine);
            Become(next);
        }
        Tell(notice);
        return ReservationOutcome.Done;
    }

    /// <summary>Takes the reservation.</summary>
    /// <exception cref="StorageException">It cannot be stored; nothing has changed.</exception>
    public ReservationOutcome Reserve(Registrant who, ulong key, ReservationType type)
    {
        Invariant.Require(type.IsKnown());
        lock (gate)
        {
            var now = state;
            if (!Knows(now, who, key)) return ReservationOutcome.Conflict;
            if (now.Type is not null)
                return now.Type == type && now.IsHeldBy(who) ? ReservationOutcome.Done : ReservationOutcome.Conflict;
            Become(Reserved(now, who, type));
            return ReservationOutcome.Done;
        }
    }

    /// <summary>Gives the reservation back; whoever does not hold it gives back nothing.</summary>
    /// <exception cref="StorageException">It cannot be stored; nothing has changed.</exception>
    public ReservationOutcome Release(Registrant who, ulong key, ReservationType type)
    {
        ReservationNoticeEventArgs? notice = null;
        lock (gate)
        {
            var now = state;
            if (!Knows(now, who, key)) return ReservationOutcome.Conflict;
            if (!now.IsHeldBy(who)) return ReservationOutcome.Done;
            if (now.Type != type) return ReservationOutcome.OtherType;
            if (type.IsForRegistrants()) notice = NoticeTo(ReservationNotice.ReservationReleased, now, who);
            Become(now with { Type = null, Holder = null });
        }
        Tell(notice);
        return ReservationOutcome.Done;
    }

    /// <summary>Ends the reservation and all registrations.</summary>
    /// <exception cref="StorageException">It cannot be stored; nothing has changed.</exception>
    public ReservationOutcome Clear(Registrant who, ulong key)
    {
        ReservationNoticeEventArgs notice;
        lock (gate)
        {
            var now = state;
            if (!Knows(now, who, key)) return ReservationOutcome.Conflict;
            notice = NoticeTo(ReservationNotice.ReservationPreempted, now, who);
            Become(now with { Generation = now.Generation + 1, Registrations = [], Type = null, Holder = null });
        }
        Tell(notice);
        return ReservationOutcome.Done;
    }

    /// <summary>Takes registrations away from others, and the reservation where it was theirs.</summary>
    /// <param name="who">Who asks.</param>
    /// <param name="key">Its key.</param>
    /// <param name="victims">The key of the registrations that end; 0 for all others, where all hold the reservation.</param>
    /// <param name="type">Type of the reservation that takes the place of theirs.</param>
    /// <param name="removed">Whose registrations have ended.</param>
    /// <exception cref="StorageException">It cannot be stored; nothing has changed.</exception>
    public ReservationOutcome Preempt(
        Registrant who, ulong key, ulong victims, ReservationType type, out IReadOnlyCollection<Registrant> removed)
    {
        Invariant.Require(type.IsKnown());
        removed = [];
        ReservationNoticeEventArgs? released = null;
        lock (gate)
        {
            var now = state;
            if (!Knows(now, who, key)) return ReservationOutcome.Conflict;
            var isHeldByAll = now.Type is { } held && held.IsHeldByAll();
            if (victims == 0 && !isHeldByAll) return ReservationOutcome.NoKey;
            var takesOver = isHeldByAll ? victims == 0 : now.Holder is { } holder && now.Find(holder)!.Key == victims;
            Registration[] gone =
            [
                .. now.Registrations.Where(each =>
                    (victims == 0 || each.Key == victims) && !(takesOver && each.Registrant == who)),
            ];
            if (gone.Length == 0 && !takesOver) return ReservationOutcome.Conflict;
            var next = now with { Generation = now.Generation + 1, Registrations = now.Registrations.RemoveRange(gone) };
            if (takesOver) next = Reserved(next, who, type);
            else if (isHeldByAll && next.IsEmpty) next = next with { Type = null };
            if (takesOver && now.Type != type) released = NoticeTo(ReservationNotice.ReservationReleased, next, who);
            Become(next);
            removed = [.. gone.Select(static each => each.Registrant)];
        }
        Tell(released);
        Tell(new(ReservationNotice.RegistrationPreempted, [.. removed.Where(each => each != who)]));
        return ReservationOutcome.Done;
    }

    /// <summary>Says whether the state is to outlive the server from now on.</summary>
    /// <returns>False where it cannot.</returns>
    /// <exception cref="StorageException">It cannot be stored; nothing has changed.</exception>
    public bool TrySetPersistence(bool persists)
    {
        lock (gate)
        {
            if (persists && store is null) return false;
            if (state.IsPersistent != persists) Become(state with { IsPersistent = persists });
            return true;
        }
    }

    static bool Knows(ReservationState now, Registrant who, ulong key) => key != 0 && now.Find(who) is { } mine && mine.Key == key;

    static ReservationState Reserved(ReservationState now, Registrant who, ReservationType type) =>
        now with { Type = type, Holder = type.IsHeldByAll() ? null : who };

    // Whoever leaves takes along what it held; what all hold goes with the last of them.
    static (ReservationState Next, ReservationNoticeEventArgs? Notice) Leave(ReservationState now, Registration mine)
    {
        var next = now with { Registrations = now.Registrations.Remove(mine) };
        if (now.Type is not { } type || !now.IsHeldBy(mine.Registrant) || (type.IsHeldByAll() && !next.IsEmpty)) return (next, null);
        var notice = type.IsForRegistrants() ? NoticeTo(ReservationNotice.ReservationReleased, next, mine.Registrant) : null;
        return (next with { Type = null, Holder = null }, notice);
    }

    static ReservationNoticeEventArgs NoticeTo(ReservationNotice notice, ReservationState now, Registrant except) =>
        new(notice, [.. now.Registrations.Select(static each => each.Registrant).Where(each => each != except)]);

    void Become(ReservationState next)
    {
        Invariant.Require(next.FindProblem() is null); // What does not hold would be refused by the next start.
        if (store is not null && (next.IsPersistent || state.IsPersistent)) store.Save(next.IsPersistent ? next : null);
        state = next;
        changed();
    }

    void Tell(ReservationNoticeEventArgs? notice)
    {
        if (notice is { Registrants.Count: > 0 }) Noticed?.Invoke(this, notice);
    }
}
