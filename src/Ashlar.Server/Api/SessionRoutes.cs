using Ashlar.Api;
using Ashlar.Blocks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Ashlar.Server;

/// <summary>/v1/sessions: who is attached.</summary>
static class SessionRoutes
{
    public static void MapSessions(this IEndpointRouteBuilder routes, ServedPools pools, ServedExports exports) =>
        routes.MapMethods("/v1/sessions", StatusRoutes.ReadMethods, Ok<ClientSessionList> () => TypedResults.Ok(new ClientSessionList
        {
            Items =
            [
                .. pools.All.SelectMany(pool =>
                    pool.AllSessions().Select(each => Describe(pool, exports, each.Volume, each.Session))),
            ],
        })).Describe("listSessions", "Clients that are attached to volumes and snapshots");

    static ClientSessionInfo Describe(ServedPool pool, ServedExports exports, ServedVolume volume, ClientSession session)
    {
        var (client, done) = (session.Client, session.GetStatistics());
        return new()
        {
            Protocol = ExportProtocols.Of(client.Protocol),
            Address = client.Address,
            Initiator = client.Host,
            User = client.User,
            Pool = pool.Name,
            Volume = volume.Path[(volume.Path.IndexOf('/') + 1)..],
            Export = ServedPool.DecisionOf(exports.Decide, volume, client).Export,
            IsReadOnly = session.IsReadOnly,
            ConnectedAt = session.AttachedAt,
            Commands = done.Reads + done.Writes + done.Trims + done.Flushes + done.Failures,
            ReadBytes = done[DriverOperation.Read].Bytes,
            WrittenBytes = done[DriverOperation.Write].Bytes + done[DriverOperation.WriteZeroes].Bytes,
        };
    }
}
