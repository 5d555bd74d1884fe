using System.Diagnostics;

namespace Ashlar.Iscsi;

/// <summary>Sessions of all portals by initiator port and target. Discovery sessions are not in it.</summary>
sealed class SessionTable
{
    static readonly TimeSpan ReinstatementLimit = TimeSpan.FromSeconds(20);

    readonly Lock gate = new();
    readonly Dictionary<SessionKey, IscsiSession> sessions = [];
    ushort lastTsih;

    public IscsiSession[] All
    {
        get
        {
            lock (gate) return [.. sessions.Values];
        }
    }

    /// <summary>The session that a login names, if there is one.</summary>
    public IscsiSession? Find(SessionKey key, ushort tsih)
    {
        lock (gate) return sessions.TryGetValue(key, out var session) && session.Tsih == tsih ? session : null;
    }

    /// <summary>
    /// Ends the session that an initiator port had before (session reinstatement, RFC 7143, 6.3.5), with all its commands.
    /// </summary>
    /// <exception cref="NegotiationException">A command of the old session does not come to an end.</exception>
    public void EndPredecessor(SessionKey key)
    {
        var start = Stopwatch.GetTimestamp();
        while (true)
        {
            IscsiSession? predecessor;
            lock (gate) sessions.TryGetValue(key, out predecessor);
            if (predecessor is null) return;
            predecessor.Cut();
            var left = ReinstatementLimit - Stopwatch.GetElapsedTime(start);
            if (left <= TimeSpan.Zero || !predecessor.WaitForEnd(left))
                throw new NegotiationException("the session before this one does not end", LoginStatus.ServiceUnavailable);
            Remove(predecessor);
        }
    }

    /// <summary>Enters a session and gives it its TSIH.</summary>
    /// <exception cref="NegotiationException">Another login of the same initiator port was quicker.</exception>
    public void Add(IscsiSession session)
    {
        lock (gate)
        {
            if (!sessions.TryAdd(session.Key, session))
                throw new NegotiationException("two logins of one initiator port at once", LoginStatus.ServiceUnavailable);
            session.Tsih = NextTsih();
        }
    }

    public void Remove(IscsiSession session)
    {
        lock (gate)
            if (sessions.TryGetValue(session.Key, out var current) && current == session) sessions.Remove(session.Key);
    }

    ushort NextTsih()
    {
        while (true)
        {
            if (++lastTsih == 0) continue; // 0 asks for a new session.
            if (!sessions.Values.Any(session => session.Tsih == lastTsih)) return lastTsih;
        }
    }
}
