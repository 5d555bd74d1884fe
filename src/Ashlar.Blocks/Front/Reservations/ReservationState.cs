using System.Collections.Immutable;

namespace Ashlar.Blocks;

/// <summary>Who has registered with a volume, and what reservation there is. Never changes: a change is another state.</summary>
/// <remarks>
/// Invariants: a holder is registered, and there is one if and only if there is a reservation whose type is not held by all; a reservation
/// that all hold has one registrant at least.
/// </remarks>
public sealed record ReservationState
{
    /// <summary>Most registrations of a volume.</summary>
    public const int MaxRegistrations = 256;

    /// <summary>Nobody has registered.</summary>
    public static ReservationState None { get; } = new();

    /// <summary>Counts registrations, clearings and preemptions since the volume was first opened, or since its state was stored.</summary>
    public uint Generation { get; init; }

    /// <summary>Registrations, in the order in which they came.</summary>
    public ImmutableArray<Registration> Registrations { get; init; } = [];

    /// <summary>Type of the reservation; null where there is none.</summary>
    public ReservationType? Type { get; init; }

    /// <summary>Who holds it; null where there is none, or all registrants do.</summary>
    public Registrant? Holder { get; init; }

    /// <summary>Whether it is to outlive the server.</summary>
    public bool IsPersistent { get; init; }

    /// <summary>Whether there is nothing that binds anybody.</summary>
    public bool IsEmpty => Registrations.IsEmpty;

    /// <summary>The registration of somebody; null where there is none.</summary>
    public Registration? Find(Registrant registrant)
    {
        foreach (var each in Registrations)
            if (each.Registrant == registrant) return each;
        return null;
    }

    /// <summary>Whether somebody holds the reservation, alone or with others.</summary>
    public bool IsHeldBy(Registrant registrant) =>
        Type is { } type && (type.IsHeldByAll() ? Find(registrant) is not null : Holder == registrant);

    /// <summary>Whether the reservation lets somebody do something.</summary>
    public bool Allows(Registrant registrant, bool writes)
    {
        if (Type is not { } type || (!writes && !type.CoversReads())) return true;
        return type.IsForRegistrants() ? Find(registrant) is not null : Holder == registrant;
    }

    /// <summary>What contradicts itself; null where nothing does.</summary>
    public string? FindProblem()
    {
        if (Registrations.Length > MaxRegistrations) return $"{Registrations.Length} registrations: {MaxRegistrations} at most";
        if (Registrations.Any(static each => each.Key == 0)) return "a registration without a key";
        if (Registrations.Any(static each => each.Registrant.Name.Length is 0 or > Registrant.MaxNameLength))
            return "a registrant without a name, or with one that is too long";
        if (Registrations.DistinctBy(static each => each.Registrant).Count() != Registrations.Length) return "somebody is registered twice";
        if (Type is { } type && !type.IsKnown()) return $"{(int)type} is not the type of a reservation";
        if (Holder is { } holder && Find(holder) is null) return "the holder is not registered";
        if ((Holder is not null) != (Type is { } alone && !alone.IsHeldByAll())) return "the holder does not fit the type";
        return Type is not null && IsEmpty ? "a reservation that nobody holds" : null;
    }
}
