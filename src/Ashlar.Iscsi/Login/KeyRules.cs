using System.Globalization;

namespace Ashlar.Iscsi;

/// <summary>What an initiator's offer for a key leads to.</summary>
/// <param name="offer">The offered value.</param>
/// <param name="parameters">Takes the result.</param>
/// <returns>The answer, or null where the key only declares something.</returns>
delegate string? KeyRule(string offer, SessionParameters parameters);

/// <summary>Keys, and how each is settled (RFC 7143, 6.2 and 13). Pure: an offer gives an answer.</summary>
static class KeyRules
{
    public const string NotUnderstood = nameof(NotUnderstood), Reject = nameof(Reject), Irrelevant = nameof(Irrelevant);

    const int MaxNameBytes = 223; // RFC 7143, 4.2.7.2
    const int MaxLengthValue = 0xFF_FFFF;

    static readonly Dictionary<string, KeyRule> Rules = new(StringComparer.Ordinal)
    {
        // Declared by the initiator; nothing is answered.
        ["InitiatorName"] = Declare(static (name, p) => p.InitiatorName = CheckName(name)),
        ["TargetName"] = Declare(static (name, p) => p.TargetName = CheckName(name)),
        ["InitiatorAlias"] = Declare(static (_, _) => { }),
        ["SessionType"] = Declare(static (type, p) => p.IsDiscovery = CheckSessionType(type)),

        // 12.1, 13.1: the first of the initiator's list that we know. Who has to prove who it is gets another answer before it comes here.
        ["AuthMethod"] = Choose("None"),
        ["HeaderDigest"] = Choose("None"),
        ["DataDigest"] = Choose("None"),
        ["TaskReporting"] = Choose("RFC3720"),

        ["MaxConnections"] = Min(1, 1, 65535, static (_, _) => { }),
        ["InitialR2T"] = Or(false, static (value, p) => p.InitialR2T = value),
        ["ImmediateData"] = And(true, static (value, p) => p.ImmediateData = value),
        ["MaxBurstLength"] = Min(1024 * 1024, 512, MaxLengthValue, static (value, p) => p.MaxBurstLength = value),
        ["FirstBurstLength"] = FirstBurst,
        ["MaxOutstandingR2T"] = Min(8, 1, 65535, static (value, p) => p.MaxOutstandingR2T = value),
        ["DefaultTime2Wait"] = Max(0, 0, 3600),
        ["DefaultTime2Retain"] = Min(0, 0, 3600, static (_, _) => { }),
        ["DataPDUInOrder"] = Or(true, static (_, _) => { }),
        ["DataSequenceInOrder"] = Or(true, static (_, _) => { }),
        ["ErrorRecoveryLevel"] = Min(0, 0, 2, static (_, _) => { }),
        ["iSCSIProtocolLevel"] = Min(1, 0, 31, static (_, _) => { }),
        ["MaxRecvDataSegmentLength"] = DeclareLength,

        // 13.25: gone, but never "NotUnderstood".
        ["IFMarker"] = static (_, _) => "No",
        ["OFMarker"] = static (_, _) => "No",
        ["IFMarkInt"] = static (_, _) => Reject,
        ["OFMarkInt"] = static (_, _) => Reject,
    };

    /// <summary>Keys about data, which a discovery session has none of (13.2 to 13.19).</summary>
    static readonly HashSet<string> IrrelevantInDiscovery = new(StringComparer.Ordinal)
    {
        "MaxConnections", "InitialR2T", "ImmediateData", "MaxBurstLength", "FirstBurstLength", "MaxOutstandingR2T",
        "DataPDUInOrder", "DataSequenceInOrder", "TaskReporting",
    };

    /// <summary>The keys that there are rules for.</summary>
    public static IReadOnlyCollection<string> Keys => Rules.Keys;

    /// <summary>Settles one key.</summary>
    /// <returns>The answer, or null where none is due.</returns>
    /// <exception cref="NegotiationException">The login cannot go on with this value.</exception>
    public static string? Answer(string key, string offer, SessionParameters parameters)
    {
        if (!Rules.TryGetValue(key, out var rule)) return NotUnderstood;
        if (parameters.IsDiscovery && IrrelevantInDiscovery.Contains(key)) return Irrelevant;
        return rule(offer, parameters);
    }

    /// <summary>
    /// Settles a key after the login: only the length that the initiator takes may still change (13.12).
    /// </summary>
    public static string AnswerInFullFeature(string key, string offer, SessionParameters parameters)
    {
        if (!Rules.TryGetValue(key, out var rule)) return NotUnderstood;
        if (key != "MaxRecvDataSegmentLength") return Reject;
        return rule(offer, parameters) ?? SessionParameters.OwnMaxRecvDataSegmentLength.ToString(CultureInfo.InvariantCulture);
    }

    static KeyRule Declare(Action<string, SessionParameters> take) => (offer, parameters) =>
    {
        take(offer, parameters);
        return null;
    };

    static KeyRule Choose(string ours) => (offer, _) => Array.IndexOf(offer.Split(','), ours) >= 0 ? ours : Reject;

    static KeyRule Min(int ours, int least, int most, Action<int, SessionParameters> take) => (offer, parameters) =>
    {
        if (!TryReadNumber(offer, least, most, out var value)) return Reject;
        value = Math.Min(value, ours);
        take(value, parameters);
        return value.ToString(CultureInfo.InvariantCulture);
    };

    static string FirstBurst(string offer, SessionParameters parameters)
    {
        const int ours = 256 * 1024;
        if (!TryReadNumber(offer, 512, MaxLengthValue, out var value)) return Reject;
        value = Math.Min(value, Math.Min(ours, parameters.MaxBurstLength));
        parameters.FirstBurstLength = value;
        return value.ToString(CultureInfo.InvariantCulture);
    }

    static KeyRule Max(int ours, int least, int most) => (offer, _) =>
        TryReadNumber(offer, least, most, out var value) ? Math.Max(value, ours).ToString(CultureInfo.InvariantCulture) : Reject;

    static KeyRule Or(bool ours, Action<bool, SessionParameters> take) => (offer, parameters) =>
        Settle(offer, theirs => theirs || ours, take, parameters);

    static KeyRule And(bool ours, Action<bool, SessionParameters> take) => (offer, parameters) =>
        Settle(offer, theirs => theirs && ours, take, parameters);

    static string Settle(string offer, Func<bool, bool> result, Action<bool, SessionParameters> take, SessionParameters parameters)
    {
        if (offer is not ("Yes" or "No")) return Reject;
        var value = result(offer == "Yes");
        take(value, parameters);
        return value ? "Yes" : "No";
    }

    static string? DeclareLength(string offer, SessionParameters parameters)
    {
        if (!TryReadNumber(offer, 512, MaxLengthValue, out var value)) return Reject;
        parameters.InitiatorMaxRecvDataSegmentLength = value;
        return null;
    }

    /// <summary>Numbers are decimal or hexadecimal with 0x (6.1).</summary>
    static bool TryReadNumber(string text, int least, int most, out int value)
    {
        var isHex = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        var read = isHex
            ? int.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value)
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
        return read && value >= least && value <= most;
    }

    // It reaches logs and terminals, which control characters would forge lines of.
    static string CheckName(string name)
    {
        if (name.Length is 0 or > MaxNameBytes)
            throw new NegotiationException($"a name has {name.Length} characters: it must have 1 to {MaxNameBytes}");
        return name.Any(IsProhibited) ? throw new NegotiationException("a name has a character that no name has (RFC 3722)") : name;
    }

    // RFC 3722, 6: neither spaces nor anything that is not shown.
    static bool IsProhibited(char c) =>
        char.IsControl(c)
        || char.IsWhiteSpace(c)
        || char.GetUnicodeCategory(c) is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;

    static bool CheckSessionType(string type) => type switch
    {
        "Discovery" => true,
        "Normal" => false,
        _ => throw new NegotiationException("SessionType is neither Discovery nor Normal", LoginStatus.SessionTypeNotSupported),
    };
}
