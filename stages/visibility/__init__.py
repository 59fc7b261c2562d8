"""The network that tells the visible face from what comes before it: rendered, trained and measured here.

No stage: like :mod:`stages.base` it renders, aligns and trains, and calls the methods of the stages that do so for
footage. What runs the network is :mod:`stages.visible_face`.
"""
