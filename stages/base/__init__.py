"""The shared base: encoder and decoder rehearsed on many synthetic performers, from which a new pair starts warm.

The one room that goes the whole way in memory: it renders performers, aligns them and trains on them, so it calls the
methods of the stages that do so for footage.
"""
