namespace Ashlar.Iscsi;

/// <summary>What a login settles. The values it starts with are those of an initiator that says nothing (RFC 7143, 13).</summary>
sealed class SessionParameters
{
    /// <summary>Most bytes of data in one PDU that we take after the login (13.12).</summary>
    public const int OwnMaxRecvDataSegmentLength = 256 * 1024;

    /// <summary>The same, before the login has settled anything.</summary>
    public const int LoginMaxRecvDataSegmentLength = 8192;

    public string InitiatorName { get; set; } = "";

    public string TargetName { get; set; } = "";

    public bool IsDiscovery { get; set; }

    /// <summary>As whom the initiator has proved to come; null where it did not have to.</summary>
    public string? User { get; set; }

    /// <summary>Most bytes of data in one PDU that the initiator takes.</summary>
    public int InitiatorMaxRecvDataSegmentLength { get; set; } = 8192;

    /// <summary>Most bytes of one sequence of Data-In or solicited Data-Out PDUs.</summary>
    public int MaxBurstLength { get; set; } = 256 * 1024;

    /// <summary>Most bytes of immediate and unsolicited data of one command.</summary>
    public int FirstBurstLength { get; set; } = 64 * 1024;

    /// <summary>Whether data other than immediate data needs an R2T.</summary>
    public bool InitialR2T { get; set; } = true;

    public bool ImmediateData { get; set; } = true;

    /// <summary>R2Ts of one command that may be unanswered at a time.</summary>
    public int MaxOutstandingR2T { get; set; } = 1;

    /// <summary>Puts right what no single key can see: a first burst is part of a burst (13.14).</summary>
    public void Settle() => FirstBurstLength = Math.Min(FirstBurstLength, MaxBurstLength);
}
