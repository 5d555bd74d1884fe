using System.Net;
using Ashlar.Api;
using Ashlar.Blocks;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>The addresses that volumes are reached through, and how: nobody but an operator says that any is not the best.</summary>
/// <param name="addresses">Those listened on, in the order of their numbers.</param>
/// <param name="states">How volumes are reached through each; protocols ask it.</param>
/// <param name="report">Gets a line for each change.</param>
sealed class ServedPortals(IReadOnlyList<IPAddress> addresses, PathStates states, Action<LogEntry> report)
{
    /// <summary>TCP ports of iSCSI and NVMe, by portal; known once they listen.</summary>
    public (IReadOnlyList<IPEndPoint> Iscsi, IReadOnlyList<IPEndPoint>? Nvme) EndPoints { get; set; } = ([], null);

    /// <summary>All of them.</summary>
    public IReadOnlyList<Portal> List() => [.. states.Groups.Select((_, index) => Describe(index)).OrderBy(portal => portal.Number)];

    /// <summary>The one of a number, as it is written in a path.</summary>
    /// <exception cref="ApiException">There is none.</exception>
    public Portal Get(string number) => Describe(Parse(number));

    /// <summary>Has volumes reached otherwise: for commands at once, and clients are told.</summary>
    public Portal Change(string number, ChangePortal request, string by)
    {
        var index = Parse(number);
        var state = PortalAccess.All.ToList().IndexOf(request.Access);
        if (state < 0)
        {
            throw new ApiException(
                ProblemKind.InvalidRequest, $"'{request.Access}' is none of {string.Join(", ", PortalAccess.All)}");
        }
        var portal = Describe(index);
        states.Set(portal.Number, (PathState)state);
        report(new(
            LogLevel.Information, LogEvents.PortalChanged, $"portal {portal.Number} at {portal.Address} is {request.Access}, by {by}"));
        return portal with { Access = request.Access };
    }

    int Parse(string number) => int.TryParse(number, out var group) && states.Groups.ToList().IndexOf(group) is >= 0 and var index
        ? index
        : throw new ApiException(ProblemKind.PortalNotFound, $"there is no portal {number}");

    Portal Describe(int index) => new()
    {
        Number = states.Groups[index],
        Address = addresses[index].ToString(),
        IscsiPort = EndPoints.Iscsi[index].Port,
        NvmePort = EndPoints.Nvme?[index].Port,
        Access = PortalAccess.All[(int)states.Of(states.Groups[index])],
    };
}
