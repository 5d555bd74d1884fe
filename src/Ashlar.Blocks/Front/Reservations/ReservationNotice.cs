namespace Ashlar.Blocks;

/// <summary>What a registrant has to be told because of what another has done.</summary>
public enum ReservationNotice
{
    /// <summary>The reservation is no more, and with it what it promised to registrants; or it has another type.</summary>
    ReservationReleased = 0,

    /// <summary>All registrations, and the reservation, were cleared.</summary>
    ReservationPreempted,

    /// <summary>Its registration was taken away.</summary>
    RegistrationPreempted,
}

/// <summary>Registrants have to be told something.</summary>
/// <param name="notice">What.</param>
/// <param name="registrants">Who.</param>
public sealed class ReservationNoticeEventArgs(ReservationNotice notice, IReadOnlyCollection<Registrant> registrants) : EventArgs
{
    /// <summary>What.</summary>
    public ReservationNotice Notice { get; } = notice;

    /// <summary>Who.</summary>
    public IReadOnlyCollection<Registrant> Registrants { get; } = registrants;
}
