using Ashlar.Blocks;

namespace Ashlar.Scsi;

/// <summary>One initiator's view of one unit (an I_T_L nexus): what it has still to be told.</summary>
sealed class UnitNexus : IDisposable
{
    // Reported in this order: a reset says more than anything that happened before it (SAM-5, 5.14.1).
    static readonly AdditionalSense[] Conditions =
    [
        AdditionalSense.PowerOnOrReset,
        AdditionalSense.CommandsClearedByAnotherInitiator,
        AdditionalSense.RegistrationsPreempted,
        AdditionalSense.ReservationsPreempted,
        AdditionalSense.ReservationsReleased,
        AdditionalSense.ModeParametersChanged,
        AdditionalSense.AsymmetricAccessStateChanged,
        AdditionalSense.CapacityDataHasChanged,
        AdditionalSense.ReportedLunsDataHasChanged,
        AdditionalSense.ThinProvisioningSoftThresholdReached,
    ];

    int pending;

    public UnitNexus(ScsiLun lun)
    {
        Number = lun.Number;
        Unit = lun.Unit;
        Session = lun.Session;
        Attention(AdditionalSense.PowerOnOrReset);
        Unit.Attach(this);
    }

    public int Number { get; }

    public LogicalUnit Unit { get; }

    public ClientSession Session { get; }

    public void Attention(AdditionalSense condition)
    {
        // A reset forgets what was to be told before it.
        if (condition == AdditionalSense.PowerOnOrReset) Volatile.Write(ref pending, 1);
        else Interlocked.Or(ref pending, 1 << Array.IndexOf(Conditions, condition));
    }

    /// <summary>Whether persistent reservations let the initiator read, or write.</summary>
    public bool MayAccess(bool writes) => Unit.Volume.Access.Persistent.State.Allows(Session.Registrant, writes);

    /// <summary>The next condition to report; it counts as reported.</summary>
    public bool TryTakeAttention(out Sense sense)
    {
        var conditions = Volatile.Read(ref pending);
        if (conditions == 0)
        {
            sense = default;
            return false;
        }
        var first = int.TrailingZeroCount(conditions);
        Interlocked.And(ref pending, ~(1 << first));
        sense = new(SenseKey.UnitAttention, Conditions[first]);
        return true;
    }

    public void Dispose() => Unit.Detach(this);
}
