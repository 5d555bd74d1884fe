using System.Globalization;
using Ashlar.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.OpenApi;

namespace Ashlar.Server;

/// <summary>/v1/pools/{pool}/volumes/{volume}/map and /extents.</summary>
static class MapRoutes
{
    const int MaxRegions = 1024, UsualRegions = 256;

    static readonly QueryParameter Regions =
        new("regions", JsonSchemaType.Integer, $"How many regions, 1 to {MaxRegions}; {UsualRegions} when absent");

    static readonly QueryParameter Since = new("since", JsonSchemaType.String, "A snapshot of the volume: what has changed since is told");

    public static void MapMap(this IEndpointRouteBuilder volumes, ServedPools pools)
    {
        volumes.MapMethods("{volume}/map", StatusRoutes.ReadMethods, async Task<Ok<VolumeMap>> (
            string pool, string volume, HttpContext context) =>
            TypedResults.Ok(await VolumeMaps.ReadAsync(
                pools.Get(pool), volume, RegionsOf(context.Request), SinceOf(context.Request), context.RequestAborted)))
            .WithQuery(Regions, Since).Describe("getVolumeMap", "Where a volume holds data, and where it is read and written");

        volumes.MapMethods("{volume}/fragmentation", StatusRoutes.ReadMethods, async Task<Ok<Api.VolumeFragmentation>> (
            string pool, string volume) => TypedResults.Ok(await VolumeMaps.MeasureFragmentationAsync(pools.Get(pool), volume)))
            .Describe("getVolumeFragmentation", "How scattered over the pool the data of a volume lie");

        volumes.MapMethods("{volume}/extents", StatusRoutes.ReadMethods, async Task<Ok<ExtentList>> (
            string pool, string volume, HttpContext context) =>
        {
            var page = Page.Of(context.Request);
            var (items, next) = page.Take(
                await VolumeMaps.ListExtentsAsync(pools.Get(pool), volume, StartOf(page), page.Limit + 1),
                extent => (extent.OffsetBytes + extent.LengthBytes).ToString("D19", CultureInfo.InvariantCulture),
                context);
            return TypedResults.Ok(new ExtentList { Items = items, Next = next });
        }).WithQuery(Page.Parameters).Describe("listExtents", "What of a volume is mapped, in order; in pages");
    }

    static string? SinceOf(HttpRequest request) => request.Query.TryGetValue(Since.Name, out var name) ? name.ToString() : null;

    static int RegionsOf(HttpRequest request)
    {
        if (!request.Query.TryGetValue(Regions.Name, out var text)) return UsualRegions;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var regions) && regions is >= 1 and <= MaxRegions
            ? regions
            : throw new ApiException(
                ProblemKind.InvalidRequest, $"'{text}' is not a value of '{Regions.Name}': a number from 1 to {MaxRegions}");
    }

    // A page begins where the one before ended.
    static long StartOf(Page page)
    {
        if (page.After is not { } text) return 0;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var start)
            ? start
            : throw new ApiException(
                ProblemKind.InvalidRequest, $"'{text}' is not a value of 'after': take it as it stands in 'next' of a list");
    }
}
