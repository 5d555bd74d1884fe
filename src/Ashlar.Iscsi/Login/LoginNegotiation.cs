using System.Buffers;
using System.Globalization;
using Ashlar.Storage;

namespace Ashlar.Iscsi;

/// <summary>
/// The stages of one login (RFC 7143, 6.3): each request gives a reply, until the full feature phase or an error. Knows no socket.
/// </summary>
/// <remarks>
/// Invariant: an initiator that has to prove who it is leaves the security stage, and has a target opened, only when it has proved it;
/// until then a target that it may not reach and one that there is not are the same to it.
/// </remarks>
/// <param name="openTarget">Opens the target; false where there is none for this initiator.</param>
/// <param name="demandOf">What an initiator has to prove; null where it need not.</param>
/// <param name="entropy">Where challenges come from.</param>
/// <param name="portalGroupTag">Of the portal.</param>
sealed class LoginNegotiation(
    Func<SessionParameters, bool> openTarget, Func<SessionParameters, ChapDemand?> demandOf, IEntropySource entropy, int portalGroupTag)
{
    const string AuthMethod = "AuthMethod", Chap = "CHAP", NoMethod = "None";

    const int MaxRequests = 64;

    readonly ArrayBufferWriter<byte> text = new();
    LoginStage stage = LoginStage.Security;
    ChapDemand? demand;
    ChapExchange? chap; // Once both sides want it.
    bool isFirst = true;
    bool namesAreKnown;
    bool targetIsOpen;
    bool lengthIsDeclared;
    int requestCount;

    public SessionParameters Parameters { get; } = new();

    public bool IsComplete => stage == LoginStage.FullFeature;

    /// <summary>Takes a request and its text.</summary>
    /// <exception cref="NegotiationException">The login fails.</exception>
    public LoginReply Step(in LoginRequestPdu request, ReadOnlySpan<byte> requestText)
    {
        CheckRequest(request);
        if (requestText.Length > TextPairs.MaxTextBytes - text.WrittenCount)
            throw new NegotiationException($"more than {TextPairs.MaxTextBytes} bytes of text");
        text.Write(requestText);
        // The text goes on: nothing can be answered yet (6.2, C bit).
        if (request.Continue) return new(stage, stage, Transit: false, default);

        var answer = new ArrayBufferWriter<byte>();
        var pairs = TextPairs.Parse(text.WrittenSpan);
        text.ResetWrittenCount();
        Declare(pairs, answer);
        Authenticate(pairs, answer);
        Negotiate(pairs, answer);
        var transit = request.Transit && !IsUnproved;
        if (stage != LoginStage.Security || transit) OpenTarget();
        if (stage == LoginStage.Operational && !lengthIsDeclared)
        {
            lengthIsDeclared = true;
            TextPairs.Append(answer, "MaxRecvDataSegmentLength",
                SessionParameters.OwnMaxRecvDataSegmentLength.ToString(CultureInfo.InvariantCulture));
        }
        if (answer.WrittenCount > SessionParameters.LoginMaxRecvDataSegmentLength)
            throw new NegotiationException("the answers do not fit one PDU");

        var reply = new LoginReply(stage, transit ? request.NextStage : stage, transit, answer.WrittenMemory);
        stage = reply.NextStage;
        if (IsComplete) Parameters.Settle();
        return reply;
    }

    void CheckRequest(in LoginRequestPdu request)
    {
        if (++requestCount > MaxRequests) throw new NegotiationException($"more than {MaxRequests} requests in one login");
        if (request.VersionMin > 0) throw new NegotiationException("only version 0 is spoken", LoginStatus.UnsupportedVersion);
        // The initiator chooses with which of the two stages to begin.
        if (isFirst && request.CurrentStage == LoginStage.Operational) stage = LoginStage.Operational;
        isFirst = false;
        if (request.CurrentStage != stage)
            throw new NegotiationException($"stage {request.CurrentStage} in the middle of stage {stage}");
        if (!request.Transit) return;
        if (request.Continue) throw new NegotiationException("text that goes on cannot end a stage");
        if (request.NextStage is LoginStage.Reserved || request.NextStage <= stage)
            throw new NegotiationException($"stage {request.NextStage} cannot follow stage {stage}");
    }

    /// <summary>The first text says who speaks and what it wants (6.3.1); what else it says may depend on that.</summary>
    void Declare(List<KeyValuePair<string, string>> pairs, ArrayBufferWriter<byte> answer)
    {
        if (namesAreKnown)
        {
            // Some initiators say them again in each stage.
            if (pairs.Exists(pair => IsName(pair.Key) && pair.Value != DeclaredAs(pair.Key)))
                throw new NegotiationException("names cannot change within a login");
            return;
        }
        foreach (var (key, value) in pairs)
            if (IsName(key)) KeyRules.Answer(key, value, Parameters);
        if (Parameters.InitiatorName.Length == 0) throw new NegotiationException("InitiatorName is missing", LoginStatus.MissingParameter);
        namesAreKnown = true;
        if (Parameters.IsDiscovery)
        {
            demand = demandOf(Parameters);
            return;
        }
        if (Parameters.TargetName.Length == 0) throw new NegotiationException("TargetName is missing", LoginStatus.MissingParameter);
        demand = demandOf(Parameters);
        // Due in the first response (13.9).
        TextPairs.Append(answer, "TargetPortalGroupTag", portalGroupTag.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Whether something is to be proved yet: the security stage goes on.</summary>
    bool IsUnproved => chap is { User: null };

    void Authenticate(List<KeyValuePair<string, string>> pairs, ArrayBufferWriter<byte> answer)
    {
        if (stage != LoginStage.Security)
        {
            if (demand is { IsRequired: true } && Parameters.User is null) throw NothingProved();
            return;
        }
        if (chap is null)
        {
            ChooseMethod(pairs, answer);
            return;
        }
        var keys = pairs.Where(static pair => ChapExchange.IsKey(pair.Key)).ToDictionary(StringComparer.Ordinal);
        if (keys.Count == 0 && !IsUnproved) return;
        chap.Step(keys, answer);
        Parameters.User = chap.User;
    }

    void ChooseMethod(List<KeyValuePair<string, string>> pairs, ArrayBufferWriter<byte> answer)
    {
        if (demand is null) return; // The rules of keys know what to say to who needs not prove anything.
        var offer = pairs.Find(static pair => pair.Key == AuthMethod).Value?.Split(',') ?? [NoMethod];
        if (Array.IndexOf(offer, Chap) >= 0)
        {
            chap = new ChapExchange(demand, entropy);
            TextPairs.Append(answer, AuthMethod, Chap);
        }
        else if (demand.IsRequired)
        {
            throw NothingProved();
        }
    }

    static NegotiationException NothingProved() =>
        new("the initiator has to prove who it is by CHAP, and does not offer to", LoginStatus.AuthenticationFailure);

    /// <summary>The initiator is who it says it is: the security stage is over, or was left out.</summary>
    void OpenTarget()
    {
        if (targetIsOpen || Parameters.IsDiscovery) return;
        targetIsOpen = openTarget(Parameters)
            ? true
            : throw new NegotiationException($"there is no target {Parameters.TargetName}", LoginStatus.NotFound);
    }

    void Negotiate(List<KeyValuePair<string, string>> pairs, ArrayBufferWriter<byte> answer)
    {
        var answers = new string?[pairs.Count];
        // A first burst is part of a burst (13.14), whichever of the two is said first.
        foreach (var (i, (key, value)) in pairs.Index().OrderBy(static pair => pair.Item.Key == "FirstBurstLength"))
        {
            if (IsName(key) || (chap is not null && (key == AuthMethod || ChapExchange.IsKey(key)))) continue;
            answers[i] = KeyRules.Answer(key, value, Parameters);
            if (key == AuthMethod && answers[i] == KeyRules.Reject)
                throw new NegotiationException("no authentication method in common", LoginStatus.AuthenticationFailure);
        }
        foreach (var (i, (key, _)) in pairs.Index())
            if (answers[i] is { } result) TextPairs.Append(answer, key, result);
    }

    string DeclaredAs(string key) => key switch
    {
        "InitiatorName" => Parameters.InitiatorName,
        "TargetName" => Parameters.TargetName,
        _ => Parameters.IsDiscovery ? "Discovery" : "Normal",
    };

    static bool IsName(string key) => key is "InitiatorName" or "TargetName" or "SessionType";
}

/// <summary>What to answer to a login request that is all right.</summary>
readonly record struct LoginReply(LoginStage CurrentStage, LoginStage NextStage, bool Transit, ReadOnlyMemory<byte> Text);
