namespace Ashlar.Blocks;

/// <summary>Where the reservations of a volume are kept that outlive the server.</summary>
public interface IReservationStore
{
    /// <summary>What was stored last; null where nothing is.</summary>
    ReservationState? Load();

    /// <summary>Stores a state in the place of the last one, or none; durable when the call returns.</summary>
    void Save(ReservationState? state);
}
